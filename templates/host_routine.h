// A routine: one program as fused loops, read from the tuples that describe it:
//
//   (n_shapes, frames, tensors, outputs, temps, loops, temp_is_double)
//
//   frames   each a tuple of atoms; its shape is the broadcast of theirs. An atom is k, the shape of
//            argument k of the op, or (earlier frame, dims): that frame with these dims made 1.
//   tensors  what is passed in: (frame, dropped, is_mask). A dropped one lacks the axes of its frame
//            that only reductions made 1: those that come out as 1 when each argument has size 2
//            along every axis.
//   outputs  (frame, dropped, same); same: k + 1 for the tensor k that it is equal to where it is as
//            large, 0 for none
//   temps    a frame each; contiguous, in the type that is computed in
//   loops    (id, frame, inputs, results, numbers); inputs and results are slots: tensors, outputs
//            and temps, counted on in this order. An input is broadcast to the frame of the loop, a
//            result is reduced to the frame of its slot. A number is (source frame, target frame),
//            and stands for numel(source)/numel(target).
#pragma once

#include <Python.h>
#include <torch/csrc/Exceptions.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace symop {

constexpr size_t kMaxArguments = 62;  // sets of arguments, operands and results are bits of a word
constexpr size_t kMaxResults = 31;

// The shape of an argument (frame < 0), or an earlier frame with some dims made 1.
struct Atom {
  int argument = -1;
  int frame = -1;
  std::vector<int64_t> dims;
};

struct Frame {
  std::vector<Atom> atoms;
  uint64_t arguments = 0;  // bits of the arguments whose shapes it joins
  bool shrinks = false;    // some atom has dims made 1
};

enum class Kind : uint8_t { tensor, mask, output, temp };

struct Slot {
  int frame = 0;
  bool dropped = false;
  Kind kind = Kind::tensor;
  int same = 0;
};

struct Kernel;

struct Loop {
  int64_t id = 0;
  int frame = 0;
  std::vector<int> inputs;
  std::vector<int> results;
  std::vector<std::pair<int, int>> numbers;
  mutable std::atomic<const Kernel*> last{nullptr};  // the variant that ran last

  Loop() = default;
  Loop(Loop&& other) noexcept
      : id(other.id),
        frame(other.frame),
        inputs(std::move(other.inputs)),
        results(std::move(other.results)),
        numbers(std::move(other.numbers)) {}
};

struct Routine {
  size_t n_shapes = 0;
  std::vector<Frame> frames;
  std::vector<Slot> slots;  // tensors, outputs, temps
  size_t n_tensors = 0;
  size_t n_outputs = 0;
  std::vector<Loop> loops;
  bool temp_is_double = false;
  bool shrinks = false;  // some frame does, so that shapes do not follow from arguments alone
};

[[noreturn]] inline void throw_python() {
  python_error error;
  error.persist();
  throw error;
}

[[noreturn]] inline void refuse(const char* what) {
  PyErr_Format(PyExc_ValueError, "not a routine: %s", what);
  throw_python();
}

// Reads nested tuples, and refuses what does not fit.
class Reader {
 public:
  static PyObject* tuple(PyObject* value, const char* what, Py_ssize_t size = -1) {
    if (!PyTuple_Check(value) || (size >= 0 && PyTuple_GET_SIZE(value) != size)) {
      refuse(what);
    }
    return value;
  }

  static int64_t integer(PyObject* value) {
    const int64_t number = PyLong_AsLongLong(value);
    if (number == -1 && PyErr_Occurred()) {
      throw_python();
    }
    return number;
  }

  static int index(PyObject* value, size_t bound, const char* what) {
    const int64_t number = integer(value);
    if (number < 0 || static_cast<size_t>(number) >= bound) {
      refuse(what);
    }
    return static_cast<int>(number);
  }

  static bool truth(PyObject* value) {
    const int answer = PyObject_IsTrue(value);
    if (answer < 0) {
      throw_python();
    }
    return answer != 0;
  }

  template <class Visit>
  static void each(PyObject* value, const char* what, Visit visit) {
    tuple(value, what);
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(value); ++k) {
      visit(PyTuple_GET_ITEM(value, k));
    }
  }

  static std::vector<int> indices(PyObject* value, size_t bound, const char* what) {
    std::vector<int> found;
    each(value, what, [&](PyObject* item) { found.push_back(index(item, bound, what)); });
    return found;
  }
};

inline Frame read_frame(PyObject* value, const Routine& routine) {
  Frame frame;
  Reader::each(value, "a frame is a tuple of atoms", [&](PyObject* item) {
    Atom atom;
    if (PyTuple_Check(item)) {
      Reader::tuple(item, "an atom is an argument or (frame, dims)", 2);
      atom.frame =
          Reader::index(PyTuple_GET_ITEM(item, 0), routine.frames.size(), "a frame to come");
      Reader::each(PyTuple_GET_ITEM(item, 1), "dims are a tuple", [&](PyObject* dim) {
        atom.dims.push_back(Reader::integer(dim));
      });
      frame.arguments |= routine.frames[atom.frame].arguments;
      frame.shrinks = true;
    } else {
      atom.argument = Reader::index(item, routine.n_shapes, "the shape of no argument");
      frame.arguments |= uint64_t{1} << atom.argument;
    }
    frame.atoms.push_back(std::move(atom));
  });
  return frame;
}

inline Loop read_loop(PyObject* value, const Routine& routine) {
  Reader::tuple(value, "a loop has id, frame, inputs, results and numbers", 5);
  const size_t n_frames = routine.frames.size();
  const size_t n_slots = routine.slots.size();
  Loop loop;
  loop.id = Reader::integer(PyTuple_GET_ITEM(value, 0));
  loop.frame = Reader::index(PyTuple_GET_ITEM(value, 1), n_frames, "a loop without a frame");
  loop.inputs = Reader::indices(PyTuple_GET_ITEM(value, 2), n_slots, "no slot for an input");
  loop.results = Reader::indices(PyTuple_GET_ITEM(value, 3), n_slots, "no slot for a result");
  for (int slot : loop.results) {
    if (static_cast<size_t>(slot) < routine.n_tensors) {
      refuse("a loop stores into a tensor that is passed in");
    }
  }
  if (loop.inputs.size() > kMaxArguments || loop.results.size() > kMaxResults) {
    refuse("too many operands in a loop");
  }
  Reader::each(PyTuple_GET_ITEM(value, 4), "numbers are pairs of frames", [&](PyObject* pair) {
    Reader::tuple(pair, "a number is a pair of frames", 2);
    loop.numbers.emplace_back(
        Reader::index(PyTuple_GET_ITEM(pair, 0), n_frames, "no frame for a number"),
        Reader::index(PyTuple_GET_ITEM(pair, 1), n_frames, "no frame for a number"));
  });
  return loop;
}

inline std::unique_ptr<Routine> read_routine(PyObject* value) {
  Reader::tuple(value, "it has seven parts", 7);
  auto routine = std::make_unique<Routine>();
  routine->n_shapes = static_cast<size_t>(
      Reader::index(PyTuple_GET_ITEM(value, 0), kMaxArguments + 1, "too many arguments"));
  Reader::each(PyTuple_GET_ITEM(value, 1), "frames are a tuple", [&](PyObject* item) {
    routine->frames.push_back(read_frame(item, *routine));
    routine->shrinks |= routine->frames.back().shrinks;
  });
  const size_t n_frames = routine->frames.size();
  Reader::each(PyTuple_GET_ITEM(value, 2), "tensors are a tuple", [&](PyObject* item) {
    Reader::tuple(item, "a tensor has frame, dropped and is_mask", 3);
    Slot slot;
    slot.frame = Reader::index(PyTuple_GET_ITEM(item, 0), n_frames, "no frame for a tensor");
    slot.dropped = Reader::truth(PyTuple_GET_ITEM(item, 1));
    slot.kind = Reader::truth(PyTuple_GET_ITEM(item, 2)) ? Kind::mask : Kind::tensor;
    routine->slots.push_back(slot);
  });
  routine->n_tensors = routine->slots.size();
  Reader::each(PyTuple_GET_ITEM(value, 3), "outputs are a tuple", [&](PyObject* item) {
    Reader::tuple(item, "an output has frame, dropped and same", 3);
    Slot slot;
    slot.frame = Reader::index(PyTuple_GET_ITEM(item, 0), n_frames, "no frame for an output");
    slot.dropped = Reader::truth(PyTuple_GET_ITEM(item, 1));
    slot.kind = Kind::output;
    slot.same = Reader::index(
        PyTuple_GET_ITEM(item, 2), routine->n_tensors + 1, "no tensor that an output equals");
    routine->slots.push_back(slot);
  });
  routine->n_outputs = routine->slots.size() - routine->n_tensors;
  Reader::each(PyTuple_GET_ITEM(value, 4), "temps are a tuple", [&](PyObject* item) {
    routine->slots.push_back(
        Slot{Reader::index(item, n_frames, "no frame for a temp"), false, Kind::temp});
  });
  Reader::each(PyTuple_GET_ITEM(value, 5), "loops are a tuple", [&](PyObject* item) {
    routine->loops.push_back(read_loop(item, *routine));
  });
  routine->temp_is_double = Reader::truth(PyTuple_GET_ITEM(value, 6));
  for (auto& slot : routine->slots) {
    // Without dims made 1 no axis can be dropped.
    slot.dropped = slot.dropped && routine->frames[slot.frame].shrinks;
  }
  return routine;
}

}  // namespace symop
