// The host of the CPU backend: a Python callable that runs an op whose loops are C kernels.
//
// Calls that are not plain (see host_plain.h) go to a Python callable with the same arguments.
#include <Python.h>
#include <structmember.h>

#include "host_call.h"

namespace symop {
namespace {

struct HostObject {
  PyObject_HEAD
  vectorcallfunc call;
  std::shared_ptr<Core>* core;
  unsigned long long calls_fast;
};

PyObject* host_call(PyObject* object, PyObject* const* args, size_t nargsf, PyObject* names) {
  auto* self = reinterpret_cast<HostObject*>(object);
  const Core& core = **self->core;
  const auto n_args = static_cast<size_t>(PyVectorcall_NARGS(nargsf));
  if (names == nullptr && n_args == core.forward->n_tensors) {
    try {
      PyObject* result = run_plain(*self->core, args);
      self->calls_fast += result != nullptr;
      if (result != nullptr || PyErr_Occurred()) {
        return result;
      }
    } catch (...) {
      torch::translate_exception_to_python(std::current_exception());
      return nullptr;
    }
  }
  PyObject* fallback = core.fallback.get();
  return PyObject_Vectorcall(fallback, args, nargsf, names);
}

void read_core(Core& core, PyObject* forward, PyObject* saved, PyObject* wanted, PyObject* masks,
               Py_ssize_t n_args, const char* name) {
  core.forward = read_routine(forward);
  const size_t n = core.forward->n_tensors;
  if (static_cast<size_t>(n_args) != n || core.forward->n_shapes != n || n > kMaxArguments ||
      core.forward->n_outputs == 0) {
    refuse("forward takes the arguments of the op and gives a result");
  }
  Reader::each(saved, "saved is a tuple of pairs", [&](PyObject* item) {
    Reader::tuple(item, "a saved value is (is_output, position)", 2);
    const bool is_output = Reader::truth(PyTuple_GET_ITEM(item, 0));
    const size_t bound = is_output ? core.forward->n_outputs : n;
    core.saved.emplace_back(
        is_output, Reader::index(PyTuple_GET_ITEM(item, 1), bound, "no such value to save"));
  });
  if (core.saved.size() > kMaxArguments) {
    refuse("too many saved values");
  }
  core.wanted = Reader::indices(wanted, n, "no such argument to differentiate by");
  for (int mask : Reader::indices(masks, n, "no such mask")) {
    core.masks |= uint64_t{1} << mask;
  }
  for (size_t k = 0; k < n; ++k) {
    if ((core.forward->slots[k].kind == Kind::mask) != ((core.masks >> k & 1) != 0)) {
      refuse("masks differ from those of forward");
    }
  }
  core.op_name = name;
  core.node_name = core.op_name + "Backward";
}

PyObject* host_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* keywords[] = {"forward", "saved",  "gradient", "wanted", "kernels",
                                   "fallback", "next_order", "name", "n_args", "masks",
                                   "scalar_loss", nullptr};
  PyObject *forward, *saved, *gradient, *wanted, *kernels, *fallback, *next_order;
  PyObject* masks = nullptr;
  PyObject* loss = nullptr;
  const char* name;
  Py_ssize_t n_args;
  if (!PyArg_ParseTupleAndKeywords(
          args, kwargs, "OOOOOOOsn|OO", const_cast<char**>(keywords), &forward, &saved, &gradient,
          &wanted, &kernels, &fallback, &next_order, &name, &n_args, &masks, &loss)) {
    return nullptr;
  }
  try {
    auto core = std::make_shared<Core>();
    Object none = Object::checked(PyTuple_New(0));
    read_core(*core, forward, saved, wanted, masks != nullptr ? masks : none.get(), n_args, name);
    auto held = [](PyObject* object) {
      Py_INCREF(object);
      return Object(object);
    };
    core->ask_gradient = held(gradient);
    core->ask_kernel = held(kernels);
    core->fallback = held(fallback);
    core->next_order = held(next_order);
    if (loss != nullptr && loss != Py_None) {
      if (core->forward->n_outputs != 1) {
        refuse("only an op of one output has a scalar loss");
      }
      core->ask_loss = held(loss);
    }
    auto* self = reinterpret_cast<HostObject*>(type->tp_alloc(type, 0));
    if (self != nullptr) {
      self->core = new std::shared_ptr<Core>(std::move(core));
      self->call = host_call;
      self->calls_fast = 0;
    }
    return reinterpret_cast<PyObject*>(self);
  } catch (...) {
    torch::translate_exception_to_python(std::current_exception());
    return nullptr;
  }
}

// Callables are shown to the garbage collector only while no node holds the core beside us: a node
// still needs them, and is out of its sight.
int host_traverse(PyObject* object, visitproc visit, void* arg) {
  auto* core = reinterpret_cast<HostObject*>(object)->core;
  if (core != nullptr && core->use_count() == 1) {
    for (Object* held : (*core)->objects()) {
      Py_VISIT(held->get());
    }
  }
  return 0;
}

int host_clear(PyObject* object) {
  auto* core = reinterpret_cast<HostObject*>(object)->core;
  if (core != nullptr && core->use_count() == 1) {
    for (Object* held : (*core)->objects()) {
      Py_INCREF(Py_None);
      Object dropped = std::exchange(*held, Object(Py_None));
    }
  }
  return 0;
}

void host_dealloc(PyObject* object) {
  PyObject_GC_UnTrack(object);
  delete reinterpret_cast<HostObject*>(object)->core;
  Py_TYPE(object)->tp_free(object);
}

PyObject* host_kernels(PyObject* object, void*) {
  return PyLong_FromSize_t((*reinterpret_cast<HostObject*>(object)->core)->kernels.size());
}

constexpr const char* kDocumentation =
    R"(Host(forward, saved, gradient, wanted, kernels, fallback, next_order, name, n_args, masks=(),
     scalar_loss=None)

An op whose loops are C kernels. Called with its arguments, it gives a tensor, or a tuple of them.

forward: the routine of the values; its tensors are the arguments.
saved: what gradients may need: (False, position) of an argument, (True, position) of an output.
gradient: called with the set of wanted arguments whose gradients are needed, as bits; gives
    (routine, inputs, kept), or None if there is none. inputs are the tensors of the routine, as
    positions in the saved values and then the cotangents; its outputs are the gradients that are
    needed, in order; kept are positions of saved values that next_order needs besides.
wanted: the positions of the arguments that have a gradient.
kernels: called with (loop id, type of the elements, uniform, reduced, wanted); gives the address of
    that variant of the kernel, or None if there is none.
fallback: called with the arguments of calls that are not plain.
next_order: called with (needs, shapes of the arguments, *saved, *cotangents) for gradients that are
    to be differentiated, or are not plain; gives a tuple of one gradient a bit of needs. What was
    not saved is None; a cotangent that nobody gave is zeros.
name: that of the op; the node of autograd is called name + "Backward".
masks: the positions of the arguments that are bool.
scalar_loss: called with (0-d wanted arguments, all that are needed) as bits; gives a routine of the
    value and of the gradients of the 0-d ones for a cotangent of one, these in the type that is
    computed in, or None.

Raises ValueError for a routine that does not hold together.)";

PyMemberDef host_members[] = {
    {"calls_fast", T_ULONGLONG, offsetof(HostObject, calls_fast), READONLY,
     "The number of calls that kernels served."},
    {nullptr, 0, 0, 0, nullptr}};

PyGetSetDef host_getset[] = {
    {"n_kernels", host_kernels, nullptr, "The number of variants asked for.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyTypeObject host_type = {PyVarObject_HEAD_INIT(nullptr, 0)};

PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT, "symop_host", "The host of the CPU backend.", -1, nullptr,
    nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace symop

PyMODINIT_FUNC PyInit_symop_host() {
  using namespace symop;
  host_type.tp_name = "symop_host.Host";
  host_type.tp_doc = kDocumentation;
  host_type.tp_basicsize = sizeof(HostObject);
  host_type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL;
  host_type.tp_new = host_new;
  host_type.tp_dealloc = host_dealloc;
  host_type.tp_traverse = host_traverse;
  host_type.tp_clear = host_clear;
  host_type.tp_call = PyVectorcall_Call;
  host_type.tp_vectorcall_offset = offsetof(HostObject, call);
  host_type.tp_members = host_members;
  host_type.tp_getset = host_getset;
  if (PyType_Ready(&host_type) < 0) {
    return nullptr;
  }
  PyObject* module = PyModule_Create(&module_definition);
  if (module == nullptr ||
      PyModule_AddObjectRef(module, "Host", reinterpret_cast<PyObject*>(&host_type)) < 0 ||
      PyModule_AddStringConstant(module, "torch_version", TORCH_VERSION) < 0) {
    Py_XDECREF(module);
    return nullptr;
  }
  return module;
}
