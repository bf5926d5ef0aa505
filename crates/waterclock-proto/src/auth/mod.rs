//! Authentication: Basic, Bearer and Digest credentials, and the challenges that ask for them.
