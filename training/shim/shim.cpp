// What tch lacks: fused AdamW, reductions in an order of our own, and the autograd functions that pay.
// Every function returns null, or a message that the caller frees with flexmix_free. Nothing here keeps state.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

namespace {

using at::Tensor;

// Block of a fixed-order sum: the same on any number of threads.
constexpr int64_t kBlock = 4096;
// Rows whose contributions to a norm's weight gradient are added one after another.
constexpr int64_t kRows = 32;

template <typename Body>
char *guarded(Body body) {
  try {
    body();
    return nullptr;
  } catch (const std::exception &error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("unknown C++ exception");
  }
}

void check(const Tensor &tensor, const char *name) {
  TORCH_CHECK(tensor.is_contiguous() && tensor.is_cpu(), name, " must be contiguous and on the CPU");
}

template <typename T, typename Value>
double blocked_sum(const T *data, int64_t n, Value value) {
  const int64_t blocks = (n + kBlock - 1) / kBlock;
  std::vector<double> partial(blocks, 0.0);
  at::parallel_for(0, blocks, 8, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kBlock;
      const int64_t count = std::min(kBlock, n - first);
      // Eight independent chains, so that the compiler may use vectors without changing the order.
      double chain[8] = {};
      int64_t i = 0;
      for (; i + 8 <= count; i += 8)
        for (int64_t lane = 0; lane < 8; ++lane) chain[lane] += value(data[first + i + lane]);
      for (; i < count; ++i) chain[i % 8] += value(data[first + i]);
      partial[block] = ((chain[0] + chain[4]) + (chain[2] + chain[6])) + ((chain[1] + chain[5]) + (chain[3] + chain[7]));
    }
  });
  double total = 0.0;
  for (double part : partial) total += part;
  return total;
}

// y = w * x / rms(x), over rows of the last dimension (paper section 3.2; OLMo 2 norm in float32).
struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static Tensor forward(torch::autograd::AutogradContext *ctx, const Tensor &input, const Tensor &weight, double eps) {
    const Tensor x = input.contiguous();
    check(weight, "norm weight");
    const int64_t width = weight.numel(), rows = x.numel() / width;
    TORCH_CHECK(x.is_cpu() && x.dim() > 0 && x.size(-1) == width, "norm of width ", width, " does not fit its input");
    Tensor y = at::empty_like(x);
    Tensor inverse = at::empty({rows}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "rms_norm", [&] {
      const scalar_t *in = x.const_data_ptr<scalar_t>(), *w = weight.const_data_ptr<scalar_t>();
      scalar_t *out = y.data_ptr<scalar_t>(), *inv = inverse.data_ptr<scalar_t>();
      at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const scalar_t *from = in + row * width;
          scalar_t chain[16] = {};
          int64_t i = 0;
          for (; i + 16 <= width; i += 16)
            for (int64_t lane = 0; lane < 16; ++lane) chain[lane] += from[i + lane] * from[i + lane];
          for (; i < width; ++i) chain[i % 16] += from[i] * from[i];
          scalar_t sum = 0;
          for (scalar_t part : chain) sum += part;
          const scalar_t scale = scalar_t(1) / std::sqrt(sum / scalar_t(width) + scalar_t(eps));
          inv[row] = scale;
          for (int64_t j = 0; j < width; ++j) out[row * width + j] = w[j] * (from[j] * scale);
        }
      });
    });
    ctx->save_for_backward({x, weight, inverse});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &inverse = saved[2];
    const Tensor g = grads[0].contiguous();
    const bool want_weight = ctx->needs_input_grad(1);
    const int64_t width = weight.numel(), rows = x.numel() / width, blocks = (rows + kRows - 1) / kRows;
    Tensor gx = at::empty_like(x);
    Tensor gw, partial;
    if (want_weight) partial = at::zeros({blocks, width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "rms_norm_backward", [&] {
      const scalar_t *in = x.const_data_ptr<scalar_t>(), *w = weight.const_data_ptr<scalar_t>();
      const scalar_t *inv = inverse.const_data_ptr<scalar_t>(), *from = g.const_data_ptr<scalar_t>();
      scalar_t *out = gx.data_ptr<scalar_t>();
      scalar_t *sums = want_weight ? partial.data_ptr<scalar_t>() : nullptr;
      at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin * kRows; row < std::min(rows, end * kRows); ++row) {
          const scalar_t *xr = in + row * width, *gr = from + row * width;
          const scalar_t scale = inv[row];
          scalar_t chain[16] = {};
          int64_t i = 0;
          for (; i + 16 <= width; i += 16)
            for (int64_t lane = 0; lane < 16; ++lane) chain[lane] += gr[i + lane] * w[i + lane] * xr[i + lane];
          for (; i < width; ++i) chain[i % 16] += gr[i] * w[i] * xr[i];
          scalar_t dot = 0;
          for (scalar_t part : chain) dot += part;
          const scalar_t pull = dot * scale * scale * scale / scalar_t(width);
          for (int64_t j = 0; j < width; ++j) out[row * width + j] = gr[j] * w[j] * scale - xr[j] * pull;
          if (sums) {
            scalar_t *to = sums + (row / kRows) * width;
            for (int64_t j = 0; j < width; ++j) to[j] += gr[j] * (xr[j] * scale);
          }
        }
      });
      if (want_weight) {
        gw = at::zeros_like(weight);
        scalar_t *to = gw.data_ptr<scalar_t>();
        for (int64_t block = 0; block < blocks; ++block)
          for (int64_t j = 0; j < width; ++j) to[j] += sums[block * width + j];
      }
    });
    return {gx, gw, Tensor()};
  }
};

// libtorch's elementwise kernels finish each thread's share with scalar code, whose exp differs from the vector
// one: an element's bits would depend on its place. Here every element takes the same few operations, without
// contraction, so bits do not depend on place, threads or instruction set.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FLEXMIX_VECTOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FLEXMIX_VECTOR
#endif

inline float exponential(float x) {
  x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  const float shifted = x * 1.44269504088896341f + 12582912.0f; // rounds to the nearest integer
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f; // Cephes expf
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float y = p * r * r + r + 1.0f;
  int32_t bits;
  std::memcpy(&bits, &shifted, 4);
  bits = (bits - 0x4B400000 + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, 4);
  return y * scale;
}
inline double exponential(double x) { return std::exp(x); }

template <typename T>
inline __attribute__((always_inline)) void swiglu_span(const T *g, const T *u, T *out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = g[i] / (T(1) + exponential(-g[i])) * u[i];
}

template <typename T>
inline __attribute__((always_inline)) void swiglu_span_back(const T *g, const T *u, const T *d, T *dg, T *du, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const T sigmoid = T(1) / (T(1) + exponential(-g[i]));
    const T silu = g[i] * sigmoid;
    du[i] = d[i] * silu;
    dg[i] = d[i] * u[i] * (sigmoid + silu * (T(1) - sigmoid));
  }
}

FLEXMIX_VECTOR void swiglu(const float *g, const float *u, float *out, int64_t n) { swiglu_span(g, u, out, n); }
void swiglu(const double *g, const double *u, double *out, int64_t n) { swiglu_span(g, u, out, n); }
FLEXMIX_VECTOR void swiglu_back(const float *g, const float *u, const float *d, float *dg, float *du, int64_t n) {
  swiglu_span_back(g, u, d, dg, du, n);
}
void swiglu_back(const double *g, const double *u, const double *d, double *dg, double *du, int64_t n) {
  swiglu_span_back(g, u, d, dg, du, n);
}

// silu(gate) * up in one pass.
struct SwiGlu : torch::autograd::Function<SwiGlu> {
  static Tensor forward(torch::autograd::AutogradContext *ctx, const Tensor &gate, const Tensor &up) {
    const Tensor g = gate.contiguous(), u = up.contiguous();
    TORCH_CHECK(g.is_cpu() && g.sizes() == u.sizes(), "swiglu: gate and up must be of one size, on the CPU");
    Tensor out = at::empty_like(g);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "swiglu", [&] {
      const scalar_t *gp = g.const_data_ptr<scalar_t>(), *up_ = u.const_data_ptr<scalar_t>();
      scalar_t *to = out.data_ptr<scalar_t>();
      at::parallel_for(0, g.numel(), 1 << 14, [&](int64_t a, int64_t b) { swiglu(gp + a, up_ + a, to + a, b - a); });
    });
    ctx->save_for_backward({g, u});
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &g = saved[0], &u = saved[1];
    const Tensor d = grads[0].contiguous();
    Tensor dg = at::empty_like(g), du = at::empty_like(u);
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "swiglu_backward", [&] {
      const scalar_t *gp = g.const_data_ptr<scalar_t>(), *up_ = u.const_data_ptr<scalar_t>();
      const scalar_t *dp = d.const_data_ptr<scalar_t>();
      scalar_t *dgp = dg.data_ptr<scalar_t>(), *dup = du.data_ptr<scalar_t>();
      at::parallel_for(0, g.numel(), 1 << 14, [&](int64_t a, int64_t b) {
        swiglu_back(gp + a, up_ + a, dp + a, dgp + a, dup + a, b - a);
      });
    });
    return {dg, du};
  }
};

} // namespace

extern "C" {

void flexmix_free(char *message) { free(message); }

// Sum of all elements, in double, in an order that no thread count changes.
char *flexmix_sum(const Tensor *tensor, double *out) {
  return guarded([&] {
    check(*tensor, "sum");
    AT_DISPATCH_FLOATING_TYPES(tensor->scalar_type(), "sum", [&] {
      *out = blocked_sum(tensor->const_data_ptr<scalar_t>(), tensor->numel(), [](scalar_t x) { return double(x); });
    });
  });
}

// Sum of squares over several tensors, in the order given.
char *flexmix_square_sum(const Tensor *const *tensors, int64_t n, double *out) {
  return guarded([&] {
    double total = 0.0;
    for (int64_t i = 0; i < n; ++i) {
      check(*tensors[i], "square_sum");
      AT_DISPATCH_FLOATING_TYPES(tensors[i]->scalar_type(), "square_sum", [&] {
        total += blocked_sum(tensors[i]->const_data_ptr<scalar_t>(), tensors[i]->numel(),
                             [](scalar_t x) { return double(x) * double(x); });
      });
    }
    *out = total;
  });
}

struct AdamW {
  double lr, beta1, beta2, eps, weight_decay, scale;
  int64_t step;
};

// One step of AdamW (Loshchilov and Hutter 2019) over one tensor; `scale` multiplies the gradient (clipping).
char *flexmix_adamw(Tensor *parameter, const Tensor *gradient, Tensor *first, Tensor *second, const AdamW *settings) {
  return guarded([&] {
    const AdamW s = *settings;
    check(*parameter, "parameter");
    check(*gradient, "gradient");
    check(*first, "first moment");
    check(*second, "second moment");
    const int64_t n = parameter->numel();
    TORCH_CHECK(gradient->numel() == n && first->numel() == n && second->numel() == n, "adamw: sizes differ");
    AT_DISPATCH_FLOATING_TYPES(parameter->scalar_type(), "adamw", [&] {
      scalar_t *p = parameter->data_ptr<scalar_t>(), *m = first->data_ptr<scalar_t>(), *v = second->data_ptr<scalar_t>();
      const scalar_t *g = gradient->const_data_ptr<scalar_t>();
      const scalar_t b1 = s.beta1, b2 = s.beta2, scale = s.scale, decay = 1.0 - s.lr * s.weight_decay, eps = s.eps;
      const scalar_t rate = s.lr / (1.0 - std::pow(s.beta1, double(s.step)));
      const scalar_t correct = 1.0 / std::sqrt(1.0 - std::pow(s.beta2, double(s.step)));
      at::parallel_for(0, n, 1 << 15, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const scalar_t grad = g[i] * scale;
          m[i] = b1 * m[i] + (scalar_t(1) - b1) * grad;
          v[i] = b2 * v[i] + (scalar_t(1) - b2) * grad * grad;
          p[i] = p[i] * decay - rate * m[i] / (std::sqrt(v[i]) * correct + eps);
        }
      });
    });
  });
}

char *flexmix_rms_norm(const Tensor *x, const Tensor *weight, double eps, Tensor **out) {
  return guarded([&] { *out = new Tensor(RmsNorm::apply(*x, *weight, eps)); });
}

char *flexmix_swiglu(const Tensor *gate, const Tensor *up, Tensor **out) {
  return guarded([&] { *out = new Tensor(SwiGlu::apply(*gate, *up)); });
}

} // extern "C"
