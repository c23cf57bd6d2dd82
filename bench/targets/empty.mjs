// As good as nothing: what a runtime itself takes from spawn to exit. The anchor of the commands' times.
globalThis.done = true;
