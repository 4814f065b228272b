#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace neglog {
namespace {

int available_cpus() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

int initial_limit() {
  if (const char *text = std::getenv("OMP_NUM_THREADS")) {
    const int n = std::atoi(text);
    if (n > 0) return n;
  }
  return available_cpus();
}

std::atomic<int> limit{0};

// One job at a time; a second caller (another Python thread, the GIL is released) runs its job by itself
// rather than wait. Workers sleep between jobs.
class Pool {
public:
  static Pool &get() {
    static Pool *pool = [] {
#if defined(__unix__) || defined(__APPLE__)
      // A forked child has no workers: it starts again with an empty pool (the old one is left alone).
      pthread_atfork(nullptr, nullptr, [] { current() = new Pool; });
#endif
      return current() = new Pool;
    }();
    (void)pool;
    return *current();
  }

  void run(std::int64_t n, std::int64_t grain, Slice fn, void *context, int threads) {
    std::unique_lock<std::mutex> busy(busy_, std::try_to_lock);
    if (!busy.owns_lock()) {
      for (std::int64_t begin = 0; begin < n; begin += grain) fn(context, begin, std::min(begin + grain, n));
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      while (static_cast<int>(workers_.size()) < threads - 1)
        workers_.emplace_back([this, index = static_cast<int>(workers_.size())] { work(index); });
      fn_ = fn, context_ = context, n_ = n, grain_ = grain;
      next_.store(0, std::memory_order_relaxed);
      helpers_ = threads - 1, running_ = helpers_;
      ++generation_;
    }
    wake_.notify_all();
    drain();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
  }

private:
  static Pool *&current() {
    static Pool *pool = nullptr;
    return pool;
  }

  void drain() {
    for (;;) {
      const std::int64_t begin = next_.fetch_add(grain_, std::memory_order_relaxed);
      if (begin >= n_) return;
      fn_(context_, begin, std::min(begin + grain_, n_));
    }
  }

  void work(int index) {
    std::uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return generation_ != seen; });
      seen = generation_;
      if (index >= helpers_) continue;
      lock.unlock();
      drain();
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::mutex busy_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_; // never joined: the pool outlives main()
  Slice fn_ = nullptr;
  void *context_ = nullptr;
  std::int64_t n_ = 0, grain_ = 1;
  std::atomic<std::int64_t> next_{0};
  int helpers_ = 0, running_ = 0;
  std::uint64_t generation_ = 0;
};

} // namespace

int get_num_threads() {
  int n = limit.load();
  if (n == 0) limit.store(n = initial_limit());
  return n;
}

void set_num_threads(int n) { limit.store(std::max(1, n)); }

void parallel(std::int64_t n, std::int64_t grain, Slice fn, void *context, int threads) {
  if (n <= 0) return;
  const std::int64_t slices = (n + grain - 1) / grain;
  threads = static_cast<int>(std::min<std::int64_t>(threads > 0 ? threads : get_num_threads(), slices));
  if (threads <= 1) {
    for (std::int64_t begin = 0; begin < n; begin += grain) fn(context, begin, std::min(begin + grain, n));
    return;
  }
  Pool::get().run(n, grain, fn, context, threads);
}

} // namespace neglog
