#pragma once

namespace voxgrad::detail {

// Calls body(data, part) for each part in [0, parts), on this thread and on those of the process's workers that are free, and returns when
// all are done; body must not throw. Threads that call this at a time share the workers: there is one less of them than the most parts ever
// asked for, so that a caller never waits for a worker that somebody else keeps, but does the parts itself. Part i goes to the same worker
// each time if that one is free, whose caches then hold what it wrote. Workers look for more to do for a fraction of a millisecond, offer
// their core to others meanwhile, and then sleep: other work on the machine costs what it takes and no more.
// In the child of a fork there are no workers until they are needed again.
void run_on_workers(int parts, void (*body)(void*, int), void* data);

// Whether this thread is doing such a part.
bool on_worker();

}  // namespace voxgrad::detail
