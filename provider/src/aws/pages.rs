//! Lists that AWS answers page by page.

use std::future::Future;

use super::{Error, Regional};

/// No list here is longer than this many pages. One that is has not been read whole, and says so.
const PAGES_MAX: usize = 50;

/// One page, and the token of the next.
#[derive(Clone, Debug)]
pub struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl Regional {
    /// A page from the parts of an answer: the list, by its name there, and the token of the next page.
    pub fn page<T>(
        &self,
        operation: &'static str,
        member: &'static str,
        items: Option<Vec<T>>,
        next: Option<String>,
    ) -> Result<Page<T>, Error> {
        Ok(Page {
            items: self.given(operation, member, items)?,
            next: next.filter(|token| !token.is_empty()),
        })
    }

    /// The whole list. `ask` sends the call with a page's token.
    pub async fn pages<T, F, Fut>(&self, operation: &'static str, ask: F) -> Result<Vec<T>, Error>
    where
        F: FnMut(Option<String>) -> Fut,
        Fut: Future<Output = Result<Page<T>, Error>>,
    {
        let mut all = Vec::new();
        let keep = |item| {
            all.push(item);
            None::<()>
        };
        self.search(operation, ask, keep).await?;
        Ok(all)
    }

    /// The list, where it has at most so many pages; none where it has more.
    pub async fn pages_within<T, F, Fut>(&self, pages_max: usize, mut ask: F) -> Result<Option<Vec<T>>, Error>
    where
        F: FnMut(Option<String>) -> Fut,
        Fut: Future<Output = Result<Page<T>, Error>>,
    {
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..pages_max {
            let page = ask(token).await?;
            all.extend(page.items);
            token = page.next;
            if token.is_none() {
                return Ok(Some(all));
            }
        }
        Ok(None)
    }

    /// What `look` finds first; pages after it are not asked for.
    pub async fn search<T, B, F, Fut>(
        &self,
        operation: &'static str,
        mut ask: F,
        mut look: impl FnMut(T) -> Option<B>,
    ) -> Result<Option<B>, Error>
    where
        F: FnMut(Option<String>) -> Fut,
        Fut: Future<Output = Result<Page<T>, Error>>,
    {
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let page = ask(token).await?;
            if let Some(found) = page.items.into_iter().find_map(&mut look) {
                return Ok(Some(found));
            }
            token = page.next;
            if token.is_none() {
                return Ok(None);
            }
        }
        Err(Error::Endless {
            operation,
            region: self.name.clone(),
            pages: PAGES_MAX,
        })
    }
}
