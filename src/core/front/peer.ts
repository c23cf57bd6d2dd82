/** Who is at the other end of a connection, as the host knows it. */
export interface Peer {
  /** Address of the caller, without port. */
  readonly address?: string;
  /** Subject of the client certificate that the listener has checked, such as `CN=anna,O=Example`. */
  readonly subject?: string;
}
