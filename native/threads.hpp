// Threads with a limit. Compiled once, for the baseline: nothing here is numeric.
#pragma once
#include <cstdint>
#include <type_traits>

namespace neglog {

int get_num_threads();
void set_num_threads(int n);

// Calls fn(context, begin, end) so that [0, n) is covered once, in slices that are multiples of `grain` (the last
// may be shorter). Runs on the calling thread alone when n <= grain. Slices do not depend on the thread count:
// whatever is computed per grain is the same for every limit. `threads` is that limit, 0 for get_num_threads().
using Slice = void (*)(void *context, std::int64_t begin, std::int64_t end);
void parallel(std::int64_t n, std::int64_t grain, Slice fn, void *context, int threads = 0);

template <class F> void parallel_for(std::int64_t n, std::int64_t grain, F &&body, int threads = 0) {
  using Body = std::remove_reference_t<F>;
  parallel(
      n, grain,
      [](void *context, std::int64_t begin, std::int64_t end) { (*static_cast<Body *>(context))(begin, end); }, &body,
      threads);
}

} // namespace neglog
