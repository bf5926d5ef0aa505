//! `Unchanged`: whether all of a number of attributes are still the objects they were.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

/// Looks at many attributes by identity, in well below a microsecond. It is true while each is the object
/// it was when this was made; what was not there has to be not there.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Unchanged {
    /// The variables of a module or class, or of the environment.
    dictionaries: Vec<(Py<PyDict>, Vec<Remembered>)>,
    /// Classes with all that they inherit.
    classes: Vec<(Py<PyType>, Vec<Remembered>)>,
}

struct Remembered {
    name: Py<PyAny>,
    value: Option<Py<PyAny>>,
}

impl Remembered {
    fn is(&self, found: Option<&Bound<'_, PyAny>>) -> bool {
        found.map(Bound::as_ptr) == self.value.as_ref().map(Py::as_ptr)
    }
}

#[pymethods]
impl Unchanged {
    /// `places`: pairs of a dictionary or class, and names in it.
    #[new]
    fn new(places: Vec<(Bound<'_, PyAny>, Vec<Bound<'_, PyAny>>)>) -> PyResult<Self> {
        let mut all = Unchanged { dictionaries: Vec::new(), classes: Vec::new() };
        for (holder, names) in places {
            match holder.cast_into::<PyDict>() {
                Ok(items) => {
                    let found = remember(names, |name| items.get_item(name))?;
                    all.dictionaries.push((items.unbind(), found));
                }
                Err(other) => {
                    let class = other.into_inner().cast_into::<PyType>()?;
                    let found = remember(names, |name| attribute(&class, name))?;
                    all.classes.push((class.unbind(), found));
                }
            }
        }
        Ok(all)
    }

    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        for (items, names) in &self.dictionaries {
            let items = items.bind(py);
            for remembered in names {
                if !remembered.is(items.get_item(remembered.name.bind(py))?.as_ref()) {
                    return Ok(false);
                }
            }
        }
        for (class, names) in &self.classes {
            let class = class.bind(py);
            for remembered in names {
                if !remembered.is(attribute(class, remembered.name.bind(py))?.as_ref()) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

fn remember<'py>(
    names: Vec<Bound<'py, PyAny>>,
    find: impl Fn(&Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>>,
) -> PyResult<Vec<Remembered>> {
    names
        .into_iter()
        .map(|name| {
            let value = find(&name)?.map(Bound::unbind);
            Ok(Remembered { name: name.unbind(), value })
        })
        .collect()
}

fn attribute<'py>(
    class: &Bound<'py, PyType>,
    name: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    class.getattr_opt(name.cast::<PyString>()?)
}
