//! What the fuzz targets share.

pub mod differential;
pub mod form;
pub mod input;
pub mod others;
pub mod reading;
pub mod rules;
pub mod site;
