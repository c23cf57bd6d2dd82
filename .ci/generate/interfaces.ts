/** Reads the exported interfaces of a source: fields, types and their comments. */
import { parseSync } from "oxc-parser";

export interface Field {
  /** With `?` where it may be absent. */
  readonly name: string;
  readonly type: string;
  readonly doc: string;
}

export interface Shape {
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly Field[];
}

export function interfacesOf(file: string, text: string): Shape[] {
  const { program, comments } = parseSync(file, text);
  const docBefore = (start: number) => {
    const comment = comments.findLast(({ end }) => end <= start);
    const between = text.slice(comment?.end, start);
    return comment === undefined || between.trim() !== "" ? "" : plain(comment.value);
  };
  return program.body.flatMap((node) => {
    if (node.type !== "ExportNamedDeclaration") return [];
    const shape = node.declaration;
    if (shape?.type !== "TSInterfaceDeclaration") return [];
    const fields = shape.body.body.flatMap((member): Field[] => {
      if (member.type !== "TSPropertySignature" || member.key.type !== "Identifier") return [];
      const type = member.typeAnnotation?.typeAnnotation;
      return [{
        name: member.key.name + (member.optional ? "?" : ""),
        type: type === undefined ? "" : plain(text.slice(type.start, type.end)),
        doc: docBefore(member.start),
      }];
    });
    return [{ name: shape.id.name, doc: docBefore(node.start), fields }];
  });
}

/** One line: comment stars, comments inside of a type and line ends taken out. */
function plain(text: string): string {
  return text.replace(/\/\*\*.*?\*\//gs, "").replace(/^\s*\*+/gm, "").replace(/\s+/g, " ").trim();
}
