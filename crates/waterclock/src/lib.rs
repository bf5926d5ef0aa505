//! waterclock
