import { assertEquals, assertRejects } from "@std/assert";
import { withProgress } from "../../lib/async/progress_limit.ts";

class LateError extends Error {
  override name = "LateError";
}
const late = (): Error => new LateError();

Deno.test("withProgress() gives what the work gives, however long it goes on", async () => {
  const result = await withProgress(20, late, async (progressed) => {
    for (let step = 0; step < 20; step++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      progressed();
    }
    return "done";
  });
  assertEquals(result, "done");
});

Deno.test("withProgress() gives up work that stands still, and leaves no timer", async () => {
  const never = new Promise<void>(() => {});
  await assertRejects(() => withProgress(5, late, () => never), LateError);
});

Deno.test("withProgress() rejects as the work does", async () => {
  await assertRejects(
    () => withProgress(1000, late, () => Promise.reject(new RangeError())),
    RangeError,
  );
});
