//! Retries: whether a failed request is sent again, and after how long.
