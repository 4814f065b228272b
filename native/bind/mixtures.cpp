#include "mixtures.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "bind.hpp"
#include "dispatch.hpp"
#include "threads.hpp"

NEGLOG_CHOOSE(MixtureKernels, mixture_kernels)

namespace {

using namespace neglog;

// Rows per unit of work. Each unit keeps sums of its own until they are added in order, so there are few of them where
// the sums are large.
std::int64_t grain_for(std::int64_t rows, std::int64_t sums) {
  const std::int64_t units = std::clamp<std::int64_t>((std::int64_t{1} << 24) / sums, 1, 64);
  return std::max<std::int64_t>(1024, ((rows + units - 1) / units + 511) / 512 * 512);
}

void mixture_pass(AnyArray x, bool diagonal, In<double> means, In<double> whiten, In<double> offset,
                  std::optional<In<double>> weight, std::optional<Out<double>> nll,
                  std::optional<Out<double>> posterior, std::optional<Out<double>> sums) {
  const MixtureJob job{.x = x.data(),
                       .single = holds<float>(x),
                       .diagonal = diagonal,
                       .columns = static_cast<std::int64_t>(means.shape(1)),
                       .components = static_cast<std::int64_t>(means.shape(0)),
                       .means = means.data(),
                       .whiten = whiten.data(),
                       .offset = offset.data(),
                       .weight = weight ? weight->data() : nullptr,
                       .nll = nll ? nll->data() : nullptr,
                       .posterior = posterior ? posterior->data() : nullptr};
  const auto rows = static_cast<std::int64_t>(x.shape(0));
  double *total = sums ? sums->data() : nullptr;
  nb::gil_scoped_release release;
  const std::int64_t size = job.sums(), grain = grain_for(rows, size);
  std::vector<double> parts(total ? static_cast<std::size_t>((rows + grain - 1) / grain * size) : 0);
  const auto kernel = mixture_kernels().pass;
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    kernel(job, begin, end, total ? parts.data() + begin / grain * size : nullptr);
  });
  if (!total) return;
  std::fill_n(total, size, 0.0);
  for (auto part = parts.begin(); part != parts.end(); part += size)
    std::transform(part, part + size, total, total, [](double a, double b) { return a + b; });
}

} // namespace

void bind_mixtures(nb::module_ &m) {
  m.def("mixture_pass", &mixture_pass, nb::arg("x").noconvert(), nb::arg("diagonal"), nb::arg("means").noconvert(),
        nb::arg("whiten").noconvert(), nb::arg("offset").noconvert(), nb::arg("weight").noconvert().none(),
        nb::arg("nll").noconvert().none(), nb::arg("posterior").noconvert().none(), nb::arg("sums").noconvert().none());
}
