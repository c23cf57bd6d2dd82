/**
 * Stands in for the `sqlite3` package, whose install script downloads a native add-on (or compiles one
 * for a minute and a half). `mcp-server-sqlite-npx` calls `all` and nothing else; the engine is SQLite
 * either way.
 */
import { DatabaseSync } from "node:sqlite";

class Database {
  #db;

  constructor(filename) {
    this.#db = new DatabaseSync(filename);
  }

  all(sql, params, done) {
    const { error, rows } = this.#read(sql, params);
    setImmediate(done, error, rows);
    return this;
  }

  #read(sql, params) {
    try {
      return { error: null, rows: this.#db.prepare(sql).all(...params) };
    } catch (error) {
      return { error, rows: undefined };
    }
  }
}

export default { Database };
