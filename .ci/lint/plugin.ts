/** The layer table as lint rules, so that an editor shows a violation at its line. */
import {
  FORBIDDEN_GLOBALS,
  FORBIDDEN_MEMBERS,
  type Import,
  importProblem,
  isPure,
  layerOf,
} from "../../tests/arch/layers.ts";

type Context = Deno.lint.RuleContext;

/** The file as the table knows it; undefined outside of the layers. */
function layeredFile(context: Context): string | undefined {
  const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
  const path = context.filename.replaceAll("\\", "/");
  const file = path.startsWith(root) ? path.slice(root.length) : path;
  return file.startsWith("src/") || layerOf(file) !== undefined ? file : undefined;
}

const imports: Deno.lint.Rule = {
  create(context) {
    const file = layeredFile(context);
    if (file === undefined) return {};
    const judge = (node: Deno.lint.Node, found: Import) => {
      const message = importProblem(file, found);
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: (node) =>
        judge(node, { specifier: node.source.value, kind: kindOf(node.importKind) }),
      ExportAllDeclaration: (node) =>
        judge(node, { specifier: node.source.value, kind: kindOf(node.exportKind) }),
      ExportNamedDeclaration(node) {
        if (node.source === null) return;
        judge(node, { specifier: node.source.value, kind: kindOf(node.exportKind) });
      },
      ImportExpression(node) {
        const value = node.source.type === "Literal" ? node.source.value : undefined;
        const specifier = typeof value === "string" ? value : undefined;
        judge(node, { specifier, kind: "dynamic" });
      },
    };
  },
};

function kindOf(keyword: string): Import["kind"] {
  return keyword === "type" ? "type" : "value";
}

const purity: Deno.lint.Rule = {
  create(context) {
    const file = layeredFile(context);
    if (file === undefined || !isPure(file)) return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
        const member = `${node.object.name}.${node.property.name}`;
        if (FORBIDDEN_MEMBERS.includes(member)) report(context, node, member);
        else if (FORBIDDEN_GLOBALS.includes(node.object.name)) {
          report(context, node, node.object.name);
        }
      },
      CallExpression(node) {
        if (node.callee.type !== "Identifier") return;
        if (FORBIDDEN_GLOBALS.includes(node.callee.name)) report(context, node, node.callee.name);
      },
    };
  },
};

function report(context: Context, node: Deno.lint.Node, name: string): void {
  context.report({
    node,
    message: `${name} must not be used here`,
    hint: "time, timers, chance and network come through a port",
  });
}

const plugin: Deno.lint.Plugin = { name: "sentinel", rules: { imports, purity } };
export default plugin;
