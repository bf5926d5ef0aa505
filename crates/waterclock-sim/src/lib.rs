//! waterclock-sim
