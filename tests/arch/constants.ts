/** Numbers that source files give names: `const MAX_STREAMS = 64`. */
import { type Node, parse } from "./scan.ts";

/**
 * The numeric constants at the top level of a source, by name, members of tables as `NAME.member`; what is not
 * made of numbers is left out.
 */
export function numbersIn(file: string, text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const statement of parse(file, text).program["body"] as Node[]) {
    for (const { name, init } of declaredIn(statement)) {
      const value = valueOf(init, found);
      if (value !== undefined) found.set(name, value);
    }
  }
  return found;
}

interface Declared {
  readonly name: string;
  readonly init: Node;
}

function declaredIn(statement: Node): Declared[] {
  const exported = statement.type === "ExportNamedDeclaration";
  const declaration = (exported ? statement["declaration"] : statement) as Node | null;
  if (declaration?.type !== "VariableDeclaration" || declaration["kind"] !== "const") return [];
  return (declaration["declarations"] as Node[]).flatMap(({ id, init }) =>
    init === null ? [] : membersOf({ name: String((id as Node)["name"]), init: init as Node })
  );
}

/** A constant that is a table of numbers is each of them. */
function membersOf({ name, init }: Declared): Declared[] {
  const value = init.type === "TSAsExpression" ? init["expression"] as Node : init;
  if (value.type !== "ObjectExpression") return [{ name, init: value }];
  return (value["properties"] as Node[]).flatMap((property) => {
    const { name: member } = (property["key"] ?? {}) as { readonly name?: string };
    if (property.type !== "Property" || member === undefined) return [];
    return [{ name: `${name}.${member}`, init: property["value"] as Node }];
  });
}

/** Numbers, names of numbers before, and arithmetic over them. */
function valueOf(node: Node, known: ReadonlyMap<string, number>): number | undefined {
  if (node.type === "Identifier") return known.get(String(node["name"]));
  if (node.type === "Literal") {
    const { value } = node;
    return typeof value === "number" ? value : undefined;
  }
  if (node.type !== "BinaryExpression") return undefined;
  const [left, right] = [
    valueOf(node["left"] as Node, known),
    valueOf(node["right"] as Node, known),
  ];
  return left === undefined || right === undefined
    ? undefined
    : calculate(String(node["operator"]), left, right);
}

function calculate(operator: string, left: number, right: number): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "**":
      return left ** right;
    default:
      return undefined;
  }
}
