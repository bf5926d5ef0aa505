//! `Unchanged`: whether all of a number of attributes are still the objects they were.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

/// Looks at many attributes by identity, in well below a microsecond. It is true while each is the object
/// it was when this was made; what was not there has to be not there.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Unchanged(Vec<Place>);

struct Place {
    holder: Holder,
    name: Py<PyAny>,
    value: Option<Py<PyAny>>,
}

/// Where an attribute is looked up.
enum Holder {
    /// A dictionary: the variables of a module, or of the environment.
    Items(Py<PyDict>),
    /// A class, with all that it inherits.
    Class(Py<PyType>),
}

#[pymethods]
impl Unchanged {
    /// `places`: pairs of a dictionary or class, and names in it.
    #[new]
    fn new(places: Vec<(Bound<'_, PyAny>, Vec<Bound<'_, PyAny>>)>) -> PyResult<Self> {
        let mut all = Vec::new();
        for (holder, names) in places {
            for name in names {
                let holder = match holder.cast::<PyDict>() {
                    Ok(items) => Holder::Items(items.clone().unbind()),
                    Err(_) => Holder::Class(holder.cast::<PyType>()?.clone().unbind()),
                };
                let value = holder.find(&name)?.map(Bound::unbind);
                all.push(Place { holder, name: name.unbind(), value });
            }
        }
        Ok(Unchanged(all))
    }

    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        for place in &self.0 {
            let found = place.holder.find(place.name.bind(py))?;
            if found.map(|found| found.as_ptr()) != place.value.as_ref().map(Py::as_ptr) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Holder {
    fn find<'py>(&self, name: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = name.py();
        match self {
            Holder::Items(items) => items.bind(py).get_item(name),
            Holder::Class(class) => class.bind(py).getattr_opt(name.cast::<PyString>()?),
        }
    }
}
