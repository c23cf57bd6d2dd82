import { createFetchClient } from "../../../src/hosts/http_client/fetch_client.ts";
import { httpClientSuite } from "./suite.ts";

httpClientSuite({ name: "the client on fetch", create: createFetchClient });
