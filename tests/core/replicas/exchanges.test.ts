import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Exchanges, type Outlet } from "../../../src/core/replicas/exchanges.ts";
import { Mailbox } from "../../../src/core/replicas/mailbox.ts";
import { BusHub, type MemoryBus } from "../../../src/stores/memory/bus_hub.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";

const ASKER = "aaaaaaaaaaaa";
const SERVER = "bbbbbbbbbbbb";

interface Member {
  readonly bus: MemoryBus;
  readonly exchanges: Exchanges;
  /** What it was asked, in order. */
  readonly served: { readonly want: unknown; readonly outlet: Outlet; left?: string }[];
}

function join(hub: BusHub, clock: FakeClock, instance: string): Member {
  const bus = hub.join(instance);
  const mailbox = new Mailbox(bus, new Registry());
  const served: Member["served"] = [];
  const exchanges = new Exchanges({
    mailbox,
    clock,
    instance,
    serve: (want, outlet) => {
      const one: Member["served"][number] = { want, outlet };
      served.push(one);
      return (reason) => void (one.left = reason);
    },
  });
  mailbox.follow(({ from, message }) => {
    if ("exchange" in message) exchanges.take(from, message);
  });
  return { bus, exchanges, served };
}

function setUp() {
  const clock = new FakeClock();
  const hub = new BusHub();
  const [asker, server] = [join(hub, clock, ASKER), join(hub, clock, SERVER)];
  const heard: unknown[] = [];
  const ask = (to = SERVER) =>
    asker.exchanges.ask(to, { x: 1 }, {
      part: (body) => heard.push(body),
      end: (body) => heard.push({ end: body }),
      lost: (loss) => heard.push(loss),
    });
  const stop = () => {
    asker.exchanges.close();
    server.exchanges.close();
  };
  return { clock, hub, asker, server, heard, ask, stop };
}

describe("Exchanges", () => {
  it("bring parts and an end, and nothing after it", async () => {
    const { clock, server, heard, ask, stop } = setUp();
    ask();
    await settle();
    const [one] = server.served;
    assert.deepEqual({ ...one?.want as object }, { x: 1 });
    one?.outlet.part({ n: 1 });
    one?.outlet.end({ n: 2 });
    one?.outlet.part({ n: 3 });
    await clock.advance(60_000);
    assert.deepEqual(plain(heard), [{ n: 1 }, { end: { n: 2 } }]);
    assert.equal(one?.left, undefined);
    stop();
    assert.equal(clock.pending, 0);
  });

  it("last as long as both sides are there", async () => {
    const { clock, server, heard, ask, stop } = setUp();
    ask();
    await clock.advance(3_600_000);
    assert.deepEqual(heard, []);
    server.served[0]?.outlet.end({});
    await settle();
    assert.deepEqual(plain(heard), [{ end: {} }]);
    stop();
  });

  it("tell at once when nobody of that name is there", async () => {
    const { heard, ask, stop } = setUp();
    ask("cccccccccccc");
    await settle();
    assert.deepEqual(heard, ["not arrived"]);
    stop();
  });

  it("do not say that nothing has arrived when nobody knows", async () => {
    const { asker, heard, ask, stop } = setUp();
    asker.bus.failure = "away";
    ask();
    await settle();
    assert.deepEqual(heard, ["lost"]);
    stop();
  });

  it("end within a second when the other side says nothing", async () => {
    const { clock, hub, heard, ask, stop } = setUp();
    hub.join("dddddddddddd").follow(() => {});
    ask("dddddddddddd");
    await clock.advance(1000);
    assert.deepEqual(heard, ["lost"]);
    stop();
  });

  it("end when the other side goes in the middle", async () => {
    const { clock, server, heard, ask, stop } = setUp();
    ask();
    await settle();
    server.bus.close();
    await clock.advance(1000);
    assert.deepEqual(heard, ["lost"]);
    stop();
  });

  it("end when a message in between was lost, and tell the other side", async () => {
    const { asker, server, heard, ask, stop } = setUp();
    ask();
    await settle();
    const { outlet } = server.served[0] as Member["served"][number];
    const take = asker.exchanges.take.bind(asker.exchanges);
    asker.exchanges.take = () => {};
    outlet.part({ n: 1 });
    await settle();
    asker.exchanges.take = take;
    outlet.part({ n: 2 });
    await settle();
    assert.deepEqual(heard, ["lost"]);
    assert.equal(server.served[0]?.left, "its messages were lost");
    stop();
  });

  it("end when the bus is away, on both sides", async () => {
    const { clock, asker, server, heard, ask, stop } = setUp();
    ask();
    await settle();
    asker.bus.failure = "away";
    await clock.advance(1000);
    assert.deepEqual(heard, ["lost"]);
    await clock.advance(20_000);
    assert.equal(server.served[0]?.left, "its replica is silent");
    stop();
  });

  it("can be left, which the other side is told", async () => {
    const { clock, server, heard, ask, stop } = setUp();
    const leave = ask();
    await settle();
    leave("enough");
    await settle();
    assert.equal(server.served[0]?.left, "enough");
    server.served[0]?.outlet.part({ n: 1 });
    await clock.advance(60_000);
    assert.deepEqual(heard, []);
    stop();
  });

  it("answer nobody but who asked", async () => {
    const { clock, hub, server, heard, ask, stop } = setUp();
    ask();
    await settle();
    const foreign = join(hub, clock, "eeeeeeeeeeee");
    const mailbox = new Mailbox(foreign.bus, new Registry());
    const exchange = `${ASKER}-1`;
    await mailbox.send(SERVER, { kind: "leave", exchange, reason: "stolen" });
    await mailbox.send(ASKER, { kind: "end", exchange, number: 1, body: { stolen: true } });
    await settle();
    assert.equal(server.served[0]?.left, undefined);
    assert.deepEqual(heard, []);
    foreign.exchanges.close();
    stop();
  });

  it("end with the gateway", async () => {
    const { server, heard, ask, stop } = setUp();
    ask();
    await settle();
    stop();
    assert.deepEqual(heard, ["lost"]);
    assert.notEqual(server.served[0]?.left, undefined);
  });
});

function plain(values: readonly unknown[]): unknown {
  return JSON.parse(JSON.stringify(values));
}
