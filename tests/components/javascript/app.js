// Passes messages on: a process in JavaScript, without an SDK of the project's.

export function run(args, inputs, outputs) {
  const [, messages] = inputs[0];
  const [, out] = outputs[0];
  for (;;) {
    let message;
    try {
      message = messages.receive();
    } catch (error) {
      if ((error.payload ?? error) === "closed") return;
      throw error;
    }
    out.send(message);
  }
}
