// What main() runs in the worker process.
#pragma once

namespace routevpn {

// Returns the exit status. Throws what link::run_worker() throws.
int worker_main();

}  // namespace routevpn
