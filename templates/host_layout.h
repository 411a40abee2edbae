// Shapes of arguments, frames and results, and the memory of results.
#pragma once

#include <ATen/EmptyTensor.h>
#include <ATen/core/DimVector.h>
#include <ATen/core/Tensor.h>
#include <c10/core/CPUAllocator.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "host_routine.h"

namespace symop {

using Dims = at::DimVector;
using Sizes = at::IntArrayRef;

constexpr size_t kHuge = size_t{32} << 20;    // from here malloc maps fresh pages for each block
constexpr size_t kHugePage = size_t{2} << 20;

inline int64_t numel(Sizes sizes) {
  int64_t count = 1;
  for (int64_t size : sizes) {
    count *= size;
  }
  return count;
}

// The shapes of the arguments of one call. Where each is 0-d or of one common shape, only that
// shape is kept: most calls are of this kind.
struct Shapes {
  bool is_common = true;
  uint64_t full = 0;  // bits of the arguments of the common shape
  Dims common;
  std::vector<Dims> each;

  template <class Tensors>
  void set(const Tensors& tensors) {
    for (size_t k = 0; k < tensors.size(); ++k) {
      const Sizes sizes = tensors[k]->sizes();
      if (sizes.empty()) {
        continue;
      }
      if (full == 0) {
        common.append(sizes.begin(), sizes.end());
      } else if (sizes != Sizes(common)) {
        is_common = false;
        break;
      }
      full |= uint64_t{1} << k;
    }
    if (!is_common) {
      for (const auto* tensor : tensors) {
        const Sizes sizes = tensor->sizes();
        each.emplace_back(sizes.begin(), sizes.end());
      }
    }
  }

  Sizes of(size_t argument) const {
    if (!is_common) {
      return each[argument];
    }
    return (full >> argument) & 1 ? Sizes(common) : Sizes();
  }
};

// Joins a shape into another by broadcasting; whether that is possible.
inline bool join(Dims& into, Sizes other) {
  if (other.size() > into.size()) {
    into.insert(into.begin(), other.size() - into.size(), 1);
  }
  const size_t offset = into.size() - other.size();
  for (size_t k = 0; k < other.size(); ++k) {
    int64_t& size = into[offset + k];
    if (size == other[k] || other[k] == 1) {
      continue;
    }
    if (size != 1) {
      return false;
    }
    size = other[k];
  }
  return true;
}

// The shapes of all frames; whether the arguments broadcast. `shape_of(k)` is that of argument k.
template <class ShapeOf>
bool frame_sizes(const Routine& routine, ShapeOf shape_of, std::vector<Dims>& frames) {
  frames.resize(routine.frames.size());
  for (size_t k = 0; k < routine.frames.size(); ++k) {
    frames[k].clear();
    for (const Atom& atom : routine.frames[k].atoms) {
      if (atom.frame < 0) {
        const auto& shape = shape_of(atom.argument);
        if (!join(frames[k], shape)) {
          return false;
        }
        continue;
      }
      Dims inner = frames[atom.frame];
      const int64_t rank = static_cast<int64_t>(inner.size());
      for (int64_t dim : atom.dims) {
        if (rank == 0 && (dim == 0 || dim == -1)) {
          continue;
        }
        if (dim < -rank || dim >= rank) {
          return false;
        }
        inner[dim < 0 ? dim + rank : dim] = 1;
      }
      if (!join(frames[k], inner)) {
        return false;
      }
    }
  }
  return true;
}

// For each frame the axes that only a reduction made 1: those where shapes of 2 give a 1.
inline bool dropped_axes(const Routine& routine, const Shapes& shapes, std::vector<Dims>& twos) {
  auto shape_of = [&](size_t k) { return Dims(shapes.of(k).size(), 2); };
  return frame_sizes(routine, shape_of, twos);
}

// The order of the axes, outermost first, that a result takes over from an operand; empty for the
// usual order. Source of the rule: the strides of results in torch's TensorIterator.
inline Dims axis_order(Sizes sizes, Sizes strides) {
  Dims order;
  for (size_t k = 0; k < sizes.size(); ++k) {
    order.push_back(static_cast<int64_t>(k));
    for (size_t at = k; at > 0; --at) {
      const int64_t outer = order[at - 1];
      const int64_t inner = order[at];
      if (sizes[inner] == 1 || strides[outer] >= strides[inner]) {
        break;
      }
      std::swap(order[at - 1], order[at]);
    }
  }
  for (size_t k = 0; k < order.size(); ++k) {
    if (order[k] != static_cast<int64_t>(k)) {
      return order;
    }
  }
  return {};
}

inline void prefer_huge_pages(const at::Tensor& tensor) {
#ifdef __linux__
  const size_t bytes = tensor.storage().nbytes();
  if (bytes < kHuge) {
    return;
  }
  const auto begin = reinterpret_cast<uintptr_t>(tensor.mutable_data_ptr());
  const uintptr_t first = (begin + kHugePage - 1) & ~(kHugePage - 1);
  const uintptr_t last = (begin + bytes) & ~(kHugePage - 1);
  if (last > first) {
    // Only advice: where it is refused, small pages serve.
    madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  }
#endif
}

inline at::Tensor empty(Sizes sizes, c10::ScalarType type) {
  at::Tensor result(at::detail::empty_cpu(sizes, type));
  prefer_huge_pages(result);
  return result;
}

inline at::Tensor empty(Sizes sizes, Sizes strides, c10::ScalarType type) {
  at::Tensor result(at::detail::empty_strided_cpu(sizes, strides, type));
  prefer_huge_pages(result);
  return result;
}

inline at::Tensor empty_ordered(Sizes sizes, const Dims& order, c10::ScalarType type) {
  if (order.empty()) {
    return empty(sizes, type);
  }
  Dims strides(sizes.size());
  int64_t stride = 1;
  for (size_t k = order.size(); k-- > 0;) {
    strides[order[k]] = stride;
    stride *= sizes[order[k]];
  }
  return empty(sizes, strides, type);
}

// Memory for temps, freed with the object.
class Scratch {
 public:
  void* take(size_t bytes) {
    blocks_.push_back(c10::GetCPUAllocator()->allocate(bytes == 0 ? 1 : bytes));
    return blocks_.back().get();
  }

 private:
  std::vector<c10::DataPtr> blocks_;
};

}  // namespace symop
