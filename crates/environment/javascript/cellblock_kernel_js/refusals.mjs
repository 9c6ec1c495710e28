// Whatever would ask somebody at a terminal fails at once, with a sentence that says why.
//
// Standard input is empty, and where it has ended readline leaves a question open for ever. Only questions are refused:
// to read standard input to its end is what programs do in pipes.

import { STDERR } from './wire.mjs';
import { apply, defineProperty, getOwnPropertyDescriptor } from './safe.mjs';

const { process } = globalThis;
const nobody = (what) =>
  `${what} has nobody to ask: this code runs without a terminal. Put the value into the code, or read it from a file.`;
const { getBuiltinModule } = process;

/** readline is loaded once standard input is asked for, without which it asks nobody: it costs as much as the kernel. */
export function installRefusals(kernel) {
  const { get, set } = getOwnPropertyDescriptor(process, 'stdin');
  let refused = false;
  defineProperty(process, 'stdin', {
    configurable: true,
    enumerable: true,
    get: () => {
      if (!refused) {
        refused = true;
        refuseQuestions();
      }
      return apply(get, process, []);
    },
    // Without one, whoever replaces it defines it.
    set: set && ((stream) => apply(set, process, [stream])),
  });
  answerNobody(kernel);
}

function refuseQuestions() {
  const readline = apply(getBuiltinModule, process, ['readline']);
  refuseQuestion(readline.Interface.prototype);
  const asynchronous = apply(getBuiltinModule, process, ['readline/promises']).Interface.prototype;
  refuseQuestion(asynchronous, (error) => Promise.reject(error));
  // In Deno there are two.
  const other = readline.promises.Interface.prototype;
  if (other !== asynchronous) refuseQuestion(other, (error) => Promise.reject(error));
}

function refuseQuestion(prototype, refuse) {
  const { question } = prototype;
  const refusing = function (...given) {
    if (this.input?.fd !== 0) return apply(question, this, given);
    const error = new Error(nobody("readline's question()"));
    if (refuse) return refuse(error);
    throw error;
  };
  // `util.promisify` asks for a property of it.
  prototype.question = Object.assign(defineProperty(refusing, 'name', { value: 'question' }), question);
}

/** What Deno's dialogs answer where nobody is, as it documents: that, and why. Programs live with it (`prompt() ?? …`). */
function answerNobody(kernel) {
  for (const [name, answer] of [['prompt', null], ['confirm', false]]) {
    if (!(name in globalThis)) continue;
    const asking = () => {
      kernel.print(STDERR, `${nobody(`${name}()`)} Its answer is ${answer}.\n`);
      return answer;
    };
    defineProperty(asking, 'name', { value: name });
    defineProperty(globalThis, name, { value: asking, writable: true, configurable: true, enumerable: true });
  }
}
