// What Python is asked once for: kernels by variant, routines by the gradients that are wanted.
#pragma once

#include <torch/csrc/Exceptions.h>

#include "host_routine.h"

namespace symop {

// A map that any thread reads without a lock. It is written under the GIL, by a longer copy that
// is published in one store; the copies before it stay, because a reader may still be in one.
template <class Key, class Value>
class Published {
 public:
  const Value* find(const Key& key) const {
    const Buckets* now = current_.load(std::memory_order_acquire);
    if (now == nullptr) {
      return nullptr;
    }
    for (size_t at = key.hash() & now->mask;; at = (at + 1) & now->mask) {
      const Value* value = now->values[at];
      if (value == nullptr || value->key == key) {
        return value;
      }
    }
  }

  // The value of the key; one that is already there wins.
  const Value* add(std::unique_ptr<Value> value) {
    if (const Value* before = find(value->key)) {
      return before;
    }
    owned_.push_back(std::move(value));
    size_t size = 8;
    while (size < 2 * owned_.size()) {
      size *= 2;
    }
    auto next = std::make_unique<Buckets>();
    next->mask = size - 1;
    next->values.assign(size, nullptr);
    for (const auto& entry : owned_) {
      size_t at = entry->key.hash() & next->mask;
      while (next->values[at] != nullptr) {
        at = (at + 1) & next->mask;
      }
      next->values[at] = entry.get();
    }
    current_.store(next.get(), std::memory_order_release);
    kept_.push_back(std::move(next));
    return owned_.back().get();
  }

  size_t size() const {
    return owned_.size();
  }

 private:
  struct Buckets {
    size_t mask;
    std::vector<const Value*> values;
  };

  std::atomic<const Buckets*> current_{nullptr};
  std::vector<std::unique_ptr<Value>> owned_;
  std::vector<std::unique_ptr<Buckets>> kept_;
};

inline uint64_t mixed(uint64_t a, uint64_t b) {
  uint64_t x = (a ^ (b * 0x9E3779B97F4A7C15ull)) * 0xFF51AFD7ED558CCDull;
  return x ^ (x >> 29);
}

struct KernelKey {
  int64_t loop;
  int64_t dtype;
  uint64_t uniform;
  uint32_t reduced;
  uint32_t wanted;

  bool operator==(const KernelKey& o) const {
    return loop == o.loop && dtype == o.dtype && uniform == o.uniform && reduced == o.reduced &&
        wanted == o.wanted;
  }
  size_t hash() const {
    return mixed(mixed(static_cast<uint64_t>(loop * 4 + dtype), uniform),
                 (uint64_t{reduced} << 32) | wanted);
  }
};

using Entry = int64_t (*)(int64_t ndim, const int64_t* sizes, void* const* data,
                          const int64_t* strides, const double* numbers);

// A variant of a kernel; without an entry where none can be made.
struct Kernel {
  KernelKey key;
  Entry entry;
};

struct NeedsKey {
  uint64_t needs;
  uint64_t scalars;  // the wanted arguments that are 0-d, in the table of losses

  bool operator==(const NeedsKey& o) const {
    return needs == o.needs && scalars == o.scalars;
  }
  size_t hash() const {
    return mixed(needs, scalars);
  }
};

// The routine for a set of gradients; none where it cannot be had.
struct Derived {
  NeedsKey key;
  std::unique_ptr<Routine> routine;
  std::vector<int> inputs;  // positions in the saved values and then the cotangents
  uint64_t kept = 0;        // bits of the saved values that these gradients need
};

// The GIL, in any thread, whether it is held already or not.
class Gil {
 public:
  Gil() : state_(PyGILState_Ensure()) {}
  ~Gil() {
    PyGILState_Release(state_);
  }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  PyGILState_STATE state_;
};

class Released {
 public:
  explicit Released(bool release) : thread_(release ? PyEval_SaveThread() : nullptr) {}
  ~Released() {
    if (thread_ != nullptr) {
      PyEval_RestoreThread(thread_);
    }
  }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  PyThreadState* thread_;
};

// A strong reference; to be dropped under the GIL.
class Object {
 public:
  Object() = default;
  explicit Object(PyObject* owned) : object_(owned) {}
  Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Object() {
    Py_XDECREF(object_);
  }
  PyObject* get() const {
    return object_;
  }
  PyObject* forget() {
    return std::exchange(object_, nullptr);
  }
  // The result of a call that has set an exception where it gives nothing.
  static Object checked(PyObject* owned) {
    if (owned == nullptr) {
      throw_python();
    }
    return Object(owned);
  }

 private:
  PyObject* object_ = nullptr;
};

class Kernels {
 public:
  // The variant that a loop runs; `ask` is called with the GIL where it is not known yet.
  const Kernel* find(const Loop& loop, const KernelKey& key, PyObject* ask) {
    const Kernel* kernel = loop.last.load(std::memory_order_acquire);
    if (kernel != nullptr && kernel->key == key) {
      return kernel;
    }
    kernel = table_.find(key);
    if (kernel == nullptr) {
      kernel = asked(key, ask);
    }
    loop.last.store(kernel, std::memory_order_release);
    return kernel;
  }

  size_t size() const {
    return table_.size();
  }

 private:
  const Kernel* asked(const KernelKey& key, PyObject* ask) {
    Gil gil;
    Object answer = Object::checked(PyObject_CallFunction(
        ask,
        "LLKII",
        static_cast<long long>(key.loop),
        static_cast<long long>(key.dtype),
        static_cast<unsigned long long>(key.uniform),
        static_cast<unsigned int>(key.reduced),
        static_cast<unsigned int>(key.wanted)));
    void* address = nullptr;
    if (answer.get() != Py_None) {
      address = PyLong_AsVoidPtr(answer.get());
      if (address == nullptr && PyErr_Occurred()) {
        throw_python();
      }
    }
    auto kernel = std::make_unique<Kernel>();
    kernel->key = key;
    kernel->entry = reinterpret_cast<Entry>(address);
    return table_.add(std::move(kernel));
  }

  Published<KernelKey, Kernel> table_;
};

}  // namespace symop
