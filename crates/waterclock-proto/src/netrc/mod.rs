//! netrc files: user names and passwords by host.
