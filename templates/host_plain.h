// What the host runs itself: plain dense CPU tensors, in a thread in which nothing intercepts calls.
#pragma once

#include <ATen/EmptyTensor.h>
#include <ATen/PythonTorchFunctionTLS.h>
#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/forward_grad.h>
#include <torch/csrc/autograd/variable.h>

namespace symop {

// The codes by which kernels name the type of the elements.
constexpr int kOther = -1;

inline int dtype_code(c10::ScalarType type) {
  switch (type) {
    case c10::ScalarType::Float:
      return 0;
    case c10::ScalarType::Double:
      return 1;
    case c10::ScalarType::Half:
      return 2;
    case c10::ScalarType::BFloat16:
      return 3;
    default:
      return kOther;
  }
}

inline c10::ScalarType scalar_type(int code) {
  constexpr c10::ScalarType types[] = {
      c10::ScalarType::Float,
      c10::ScalarType::Double,
      c10::ScalarType::Half,
      c10::ScalarType::BFloat16};
  return types[code];
}

// The dispatch keys of an ordinary CPU tensor, made outside and inside of inference mode. Whatever
// sets a tensor apart (subclass, conj or neg bit, functorch, functionalization, device, sparsity)
// is a key more or another one.
struct PlainKeys {
  uint64_t normal;
  uint64_t inference;
};

inline PlainKeys plain_keys() {
  auto keys = [] { return at::detail::empty_cpu({0}, at::kFloat).key_set().raw_repr(); };
  PlainKeys found{keys(), 0};
  c10::InferenceMode guard;
  found.inference = keys();
  return found;
}

inline const PlainKeys kPlain = plain_keys();

inline uint64_t raw(c10::DispatchKeySet keys) {
  return keys.raw_repr();
}

// Whether calls in this thread reach the CPU without a stop: no mode, transform or tracer. Autocast
// is let through, because an op gives the type of its arguments back.
inline bool thread_is_plain() {
  const auto local = c10::impl::tls_local_dispatch_key_set();
  const uint64_t included = raw(local.included_);
  const uint64_t excluded = raw(local.excluded_ - c10::autocast_dispatch_keyset);
  constexpr c10::DispatchKeySet in_place(c10::DispatchKey::ADInplaceOrView);
  const bool normal = included == raw(c10::default_included_set) && excluded == 0;
  const bool inference = included == raw(c10::default_included_set - in_place) &&
      excluded == raw(c10::autograd_dispatch_keyset);
  return (normal || inference) && !at::impl::torch_function_mode_enabled();
}

inline const torch::autograd::AutogradMeta* autograd_meta(const c10::TensorImpl* tensor) {
  return static_cast<const torch::autograd::AutogradMeta*>(
      const_cast<c10::TensorImpl*>(tensor)->autograd_meta());
}

inline bool requires_grad(const at::Tensor& tensor) {
  const auto* meta = autograd_meta(tensor.unsafeGetTensorImpl());
  return meta != nullptr && meta->requires_grad();
}

// Named dimensions, which some versions of torch have.
template <class T>
bool has_names(const T& tensor) {
  if constexpr (requires { tensor.has_names(); }) {
    return tensor.has_names();
  }
  return false;
}

inline bool tensor_is_plain(const at::Tensor& tensor) {
  const auto* impl = tensor.unsafeGetTensorImpl();
  const auto keys = impl->key_set().raw_repr();
  if (keys != kPlain.normal && keys != kPlain.inference) {
    return false;
  }
  const auto* meta = autograd_meta(impl);
  const bool dual = meta != nullptr && meta->fw_grad_ != nullptr && !meta->fw_grad_->empty();
  return !dual && !has_names(tensor);
}

}  // namespace symop
