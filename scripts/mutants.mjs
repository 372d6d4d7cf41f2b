import { parseSync, Visitor } from 'oxc-parser';

const OTHER_COMPARISON = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
};

/**
 * Every decision of a source file, deleted or inverted, one at a time.
 * @returns {{ name: string, text: string }[]}
 */
export function mutantsOf(path, source) {
  const mutants = [];
  const put = (node, replacement, what) => {
    const line = source.slice(0, node.start).split('\n').length;
    const before = source.slice(node.start, node.end).replaceAll(/\s+/g, ' ');
    mutants.push({
      name: `${path}:${line} ${what}: ${before.slice(0, 90)}`,
      text: source.slice(0, node.start) + replacement + source.slice(node.end),
    });
  };
  const textOf = (node) => source.slice(node.start, node.end);
  const decide = ({ test }) => {
    put(test, 'true', 'always');
    put(test, 'false', 'never');
  };

  const { program } = parseSync(path, source);
  new Visitor({
    IfStatement: decide,
    ConditionalExpression: decide,
    LogicalExpression(node) {
      if (node.operator === '??') return;
      put(node, textOf(node.left), 'left only');
      put(node, textOf(node.right), 'right only');
    },
    BinaryExpression(node) {
      const other = OTHER_COMPARISON[node.operator];
      if (other !== undefined) put(node, `${textOf(node.left)} ${other} ${textOf(node.right)}`, other);
    },
    ReturnStatement({ argument }) {
      if (argument?.type === 'Literal' && typeof argument.value === 'boolean') {
        put(argument, String(!argument.value), 'the other');
      }
    },
  }).visit(program);
  return mutants;
}
