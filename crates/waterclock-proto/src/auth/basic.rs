//! Basic (RFC 7617) and Bearer (RFC 6750) credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// The value of `Authorization` for a user name and password: `Basic` and base64.
///
/// Text is sent as UTF-8; bytes are sent as they are. Both may be empty.
///
/// ```
/// use waterclock_proto::auth::basic;
///
/// assert_eq!(basic("Aladdin", "open sesame")?, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
/// assert!(basic("no:colon", "secret").is_err());
/// # Ok::<(), waterclock_proto::auth::InvalidCredentials>(())
/// ```
///
/// # Errors
///
/// [`InvalidCredentials`] for a colon in the user name, which the server would take for the end
/// of it, and for control characters (RFC 7617 §2).
pub fn basic(
    user: impl AsRef<[u8]>,
    password: impl AsRef<[u8]>,
) -> Result<String, InvalidCredentials> {
    let (user, password) = (user.as_ref(), password.as_ref());
    if let Some(offset) = user.iter().position(|&byte| byte == b':') {
        return Err(InvalidCredentials::Colon { offset });
    }
    refuse_controls(CredentialPart::User, user)?;
    refuse_controls(CredentialPart::Password, password)?;
    Ok(format!("Basic {}", STANDARD.encode([user, b":", password].concat())))
}

/// As [`basic`], but text is sent as Latin-1 (ISO-8859-1), as requests does.
///
/// ```
/// use waterclock_proto::auth::{basic, basic_latin1};
///
/// assert_eq!(basic_latin1("zoë", "x")?, basic(b"zo\xeb", "x")?);
/// assert!(basic_latin1("π", "x").is_err());
/// # Ok::<(), waterclock_proto::auth::InvalidCredentials>(())
/// ```
///
/// # Errors
///
/// [`InvalidCredentials`] as in [`basic`], and for characters that Latin-1 does not have.
pub fn basic_latin1(user: &str, password: &str) -> Result<String, InvalidCredentials> {
    basic(latin1(CredentialPart::User, user)?, latin1(CredentialPart::Password, password)?)
}

/// The value of `Authorization` for a bearer token.
///
/// ```
/// use waterclock_proto::auth::bearer;
///
/// assert_eq!(bearer("mF_9.B5f-4.1JqM")?, "Bearer mF_9.B5f-4.1JqM");
/// assert!(bearer("two words").is_err());
/// # Ok::<(), waterclock_proto::auth::InvalidCredentials>(())
/// ```
///
/// # Errors
///
/// [`InvalidCredentials`] when it is not a `b64token` (RFC 6750 §2.1): letters, digits and
/// `-._~+/`, then any number of `=`.
pub fn bearer(token: &str) -> Result<String, InvalidCredentials> {
    let body = token.trim_end_matches('=');
    if let Some(offset) = body.bytes().position(|byte| !is_token68_byte(byte)) {
        return Err(InvalidCredentials::TokenCharacter { offset });
    }
    if body.is_empty() {
        return Err(InvalidCredentials::EmptyToken);
    }
    Ok(format!("Bearer {token}"))
}

/// What `token68` (RFC 9110 §11.2) and `b64token` consist of, before any `=` at the end.
pub(super) const fn is_token68_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

fn refuse_controls(part: CredentialPart, bytes: &[u8]) -> Result<(), InvalidCredentials> {
    match bytes.iter().position(u8::is_ascii_control) {
        Some(offset) => Err(InvalidCredentials::Control { part, offset }),
        None => Ok(()),
    }
}

fn latin1(part: CredentialPart, text: &str) -> Result<Vec<u8>, InvalidCredentials> {
    let encode = |(offset, character)| {
        u8::try_from(u32::from(character))
            .map_err(|_| InvalidCredentials::NotLatin1 { part, offset })
    };
    text.char_indices().map(encode).collect()
}

/// Why credentials cannot be sent. They are not repeated here: they are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCredentials {
    /// A colon in the user name of Basic credentials.
    Colon {
        /// Where in the user name, in bytes.
        offset: usize,
    },
    /// A control character.
    Control {
        /// In which of the two.
        part: CredentialPart,
        /// Where in it, in bytes.
        offset: usize,
    },
    /// A character that Latin-1 does not have.
    NotLatin1 {
        /// In which of the two.
        part: CredentialPart,
        /// Where in it, in bytes.
        offset: usize,
    },
    /// A bearer token without a character.
    EmptyToken,
    /// A character that bearer tokens do not have.
    TokenCharacter {
        /// Where in the token, in bytes.
        offset: usize,
    },
}

/// One of the two parts of Basic credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialPart {
    /// The user name.
    User,
    /// The password.
    Password,
}

impl CredentialPart {
    const fn name(self) -> &'static str {
        match self {
            CredentialPart::User => "user name",
            CredentialPart::Password => "password",
        }
    }
}

impl fmt::Display for InvalidCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            InvalidCredentials::Colon { offset } => write!(
                f,
                "the user name has a colon at offset {offset}, where the server would see its end; \
                 Basic authentication cannot carry it"
            ),
            InvalidCredentials::Control { part, offset } => write!(
                f,
                "the {} has a control character at offset {offset}; remove it (is it a line end \
                 from a file?)",
                part.name()
            ),
            InvalidCredentials::NotLatin1 { part, offset } => write!(
                f,
                "the {} has a character at offset {offset} that Latin-1 does not have; give it as \
                 UTF-8 bytes",
                part.name()
            ),
            InvalidCredentials::EmptyToken => f.write_str("the bearer token is empty"),
            InvalidCredentials::TokenCharacter { offset } => write!(
                f,
                "the bearer token has a character at offset {offset} that tokens cannot have \
                 (letters, digits and -._~+/ with = at the end); was it cut or pasted wrongly?"
            ),
        }
    }
}

impl std::error::Error for InvalidCredentials {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_rfcs_examples() {
        assert_eq!(basic("test", "123\u{a3}").unwrap(), "Basic dGVzdDoxMjPCow==");
        assert_eq!(basic("", "").unwrap(), "Basic Og==");
        assert_eq!(basic("a", "b:c").unwrap(), "Basic YTpiOmM=");
    }

    #[test]
    fn latin1_is_what_requests_sends() {
        assert_eq!(basic_latin1("test", "123\u{a3}").unwrap(), "Basic dGVzdDoxMjOj");
        let error = basic_latin1("a", "b€").unwrap_err();
        assert_eq!(
            error,
            InvalidCredentials::NotLatin1 { part: CredentialPart::Password, offset: 1 }
        );
    }

    #[test]
    fn what_cannot_be_carried_is_refused() {
        assert_eq!(basic("a:b", "c"), Err(InvalidCredentials::Colon { offset: 1 }));
        for control in ["\0", "\n", "\r", "\t", "\x1f", "\x7f"] {
            let text = format!("ab{control}");
            let refused = |part| Err(InvalidCredentials::Control { part, offset: 2 });
            assert_eq!(basic(&text, ""), refused(CredentialPart::User));
            assert_eq!(basic("", &text), refused(CredentialPart::Password));
        }
    }

    #[test]
    fn bearer_tokens_are_b64tokens() {
        for good in ["a", "a==", "-._~+/09azAZ", "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(bearer(good).unwrap(), format!("Bearer {good}"));
        }
        for empty in ["", "=", "=="] {
            assert_eq!(bearer(empty), Err(InvalidCredentials::EmptyToken), "{empty:?}");
        }
        for bad in ["a=b", "a b", "a\n", "a\r\nX: y", "a,b", "ä", "a\"", "Bearer a"] {
            assert!(matches!(bearer(bad), Err(InvalidCredentials::TokenCharacter { .. })), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_is_visible_and_comes_back(user: Vec<u8>, password: Vec<u8>) {
            if let Ok(value) = basic(&user, &password) {
                let coded = value.strip_prefix("Basic ").unwrap();
                prop_assert!(coded.bytes().all(|byte| byte.is_ascii_graphic()));
                let decoded = STANDARD.decode(coded).unwrap();
                let colon = decoded.iter().position(|&byte| byte == b':').unwrap();
                prop_assert_eq!(&decoded[..colon], &user[..]);
                prop_assert_eq!(&decoded[colon + 1..], &password[..]);
            }
        }

        #[test]
        fn errors_do_not_show_the_secret(secret in "[a-z]{12}") {
            let message = basic("user", format!("{secret}\n")).unwrap_err().to_string();
            prop_assert!(!message.contains(&secret));
            let message = bearer(&format!("{secret} ")).unwrap_err().to_string();
            prop_assert!(!message.contains(&secret));
        }
    }
}
