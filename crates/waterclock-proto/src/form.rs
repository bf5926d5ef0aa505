//! Forms: names and values as `application/x-www-form-urlencoded`, and queries.
