//! `Unchanged` and `Attributes`: whether much that was looked at is still what it was.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};
use std::collections::HashSet;

/// Looks at many things by identity, in well below a microsecond. It is true while each is what it was when this
/// was made; what was not there has to be not there.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Unchanged {
    /// Names in a dictionary: the variables of a module or class, or of the environment.
    dictionaries: Vec<(Py<PyDict>, Vec<Remembered>)>,
    /// Names in classes, with all that they inherit.
    classes: Vec<(Py<PyType>, Vec<Remembered>)>,
    /// Dictionaries with all their items.
    whole: Vec<(Py<PyDict>, Vec<Item>)>,
    /// Dictionaries and lists with as many items.
    sized: Vec<(Py<PyAny>, usize)>,
    /// What is looked at elsewhere, too.
    also: Vec<Py<Unchanged>>,
}

struct Remembered {
    name: Py<PyAny>,
    value: Option<Py<PyAny>>,
}

type Item = (Py<PyAny>, Py<PyAny>);

#[pymethods]
impl Unchanged {
    /// waterclock/_engine.pyi says what the arguments mean.
    #[new]
    #[pyo3(signature = (places, whole = Vec::new(), sized = Vec::new(), also = Vec::new()))]
    fn new(
        places: Vec<(Bound<'_, PyAny>, Vec<Bound<'_, PyAny>>)>,
        whole: Vec<Bound<'_, PyDict>>,
        sized: Vec<Bound<'_, PyAny>>,
        also: Vec<Py<Unchanged>>,
    ) -> PyResult<Self> {
        let whole = whole.into_iter().map(|items| (items.clone().unbind(), all_of(&items)));
        let sized = sized.into_iter().map(|items| Ok((items.clone().unbind(), items.len()?)));
        let mut all = Unchanged {
            dictionaries: Vec::new(),
            classes: Vec::new(),
            whole: whole.collect(),
            sized: sized.collect::<PyResult<_>>()?,
            also,
        };
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
        for (items, length) in &self.sized {
            if items.bind(py).len()? != *length {
                return Ok(false);
            }
        }
        let has_all = |(items, known): &(Py<PyDict>, Vec<Item>)| is_whole(items.bind(py), known);
        if !self.whole.iter().all(has_all) {
            return Ok(false);
        }
        for (items, names) in &self.dictionaries {
            let items = items.bind(py);
            if !all_are(py, names, |name| items.get_item(name))? {
                return Ok(false);
            }
        }
        for (class, names) in &self.classes {
            let class = class.bind(py);
            if !all_are(py, names, |name| attribute(class, name))? {
                return Ok(false);
            }
        }
        for other in &self.also {
            if !other.get().__bool__(py)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What an object has, without a hold on the object: that may own this.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Attributes {
    /// All names in their order, with the values that matter.
    items: Vec<(Py<PyAny>, Option<Py<PyAny>>)>,
    also: Py<Unchanged>,
}

#[pymethods]
impl Attributes {
    /// `own`: an object's dictionary; `names`: whose values matter. `also` has to be true, too.
    #[new]
    fn new(own: &Bound<'_, PyDict>, names: HashSet<String>, also: Py<Unchanged>) -> Self {
        let item = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            let matters = name
                .cast::<PyString>()
                .is_ok_and(|name| name.to_str().is_ok_and(|name| names.contains(name)));
            (name.unbind(), matters.then(|| value.unbind()))
        };
        Attributes { items: own.iter().map(item).collect(), also }
    }
}

impl Attributes {
    /// Whether there was one of this name.
    pub(crate) fn has(&self, py: Python<'_>, wanted: &str) -> bool {
        let is_wanted = |name: &Bound<'_, PyString>| name.to_str().is_ok_and(|name| name == wanted);
        self.items.iter().any(|(name, _)| name.bind(py).cast().is_ok_and(is_wanted))
    }

    /// Whether the same names are in `own`, with the same values.
    pub(crate) fn are_in(&self, py: Python<'_>, own: &Bound<'_, PyDict>) -> PyResult<bool> {
        let same = own.len() == self.items.len()
            && own.iter().zip(&self.items).all(|((name, value), (known, known_value))| {
                name.is(known) && known_value.as_ref().is_none_or(|known| value.is(known))
            });
        if same { self.also.get().__bool__(py) } else { Ok(false) }
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

fn all_are<'py>(
    py: Python<'py>,
    names: &[Remembered],
    find: impl Fn(&Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>>,
) -> PyResult<bool> {
    for Remembered { name, value } in names {
        let found = find(name.bind(py))?;
        if found.as_ref().map(Bound::as_ptr) != value.as_ref().map(Py::as_ptr) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn all_of(items: &Bound<'_, PyDict>) -> Vec<Item> {
    items.iter().map(|(key, value)| (key.unbind(), value.unbind())).collect()
}

/// In the order in which they came: a key that was taken out and put back counts as a change.
fn is_whole(items: &Bound<'_, PyDict>, known: &[Item]) -> bool {
    items.len() == known.len()
        && items.iter().zip(known).all(|((key, value), (known_key, known_value))| {
            value.is(known_value) && key.is(known_key)
        })
}

fn attribute<'py>(
    class: &Bound<'py, PyType>,
    name: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    class.getattr_opt(name.cast::<PyString>()?)
}
