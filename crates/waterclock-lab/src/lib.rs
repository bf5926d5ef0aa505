//! waterclock-lab
