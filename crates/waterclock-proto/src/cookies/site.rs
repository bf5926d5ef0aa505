//! [`SiteContext`]: on whose behalf a request is made.

use super::domain::Origin;
use url::Url;

/// On whose behalf a request is made, which is what `SameSite` asks (RFC 6265bis §5.2).
///
/// A program's requests are its own: there is no page of another site behind them, so they are
/// same-site, the default. A program that acts for pages (a crawler, a test of a web
/// application) says so. All requests count as top-level navigations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SiteContext {
    /// The program itself asks, or a page of the same site.
    #[default]
    SameSite,
    /// A page of another site asks: `SameSite=Strict` cookies stay at home, and unless the method
    /// is safe (RFC 9110 §9.2.1), so do `Lax` ones and those that say nothing.
    CrossSite {
        /// Whether the method of this very hop is safe.
        safe_method: bool,
    },
}

impl SiteContext {
    /// The context of the last URL of a chain of redirects, the first of which the program asked
    /// for: cross-site if any of them is of another site than the last.
    ///
    /// ```
    /// use url::Url;
    /// use waterclock_proto::cookies::SiteContext;
    ///
    /// let start = Url::parse("https://www.example.com/login")?;
    /// let sibling = Url::parse("https://id.example.com/")?;
    /// let other = Url::parse("https://example.org/")?;
    /// assert_eq!(SiteContext::of_chain([&start], false), SiteContext::SameSite);
    /// assert_eq!(SiteContext::of_chain([&start, &sibling], true), SiteContext::SameSite);
    /// assert_eq!(
    ///     SiteContext::of_chain([&start, &other, &start], true),
    ///     SiteContext::CrossSite { safe_method: true },
    /// );
    /// # Ok::<(), url::ParseError>(())
    /// ```
    #[must_use]
    pub fn of_chain<'a>(
        chain: impl IntoIterator<Item = &'a Url, IntoIter: DoubleEndedIterator>,
        safe_method: bool,
    ) -> Self {
        let mut latest_first = chain.into_iter().rev();
        let Some(target) = latest_first.next() else { return SiteContext::SameSite };
        let target = Origin::of(target);
        let same = latest_first.all(|url| match (&target, Origin::of(url)) {
            (Some(target), Some(origin)) => target.is_same_site(&origin),
            _ => false,
        });
        if same { SiteContext::SameSite } else { SiteContext::CrossSite { safe_method } }
    }
}
