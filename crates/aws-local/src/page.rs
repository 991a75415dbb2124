//! Pages of a sorted listing: the token names the last key returned, so that a change between pages neither repeats
//! nor skips what stayed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as CODEC;

/// One page and the token of the next.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// A token that was not issued here, or belongs to another listing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

/// Makes an opaque token of a position in the listing `of`.
pub(crate) fn encode_token(of: &str, position: &str) -> String {
    CODEC.encode(format!("1|{of}|{position}"))
}

/// The position in a token of [`encode_token`].
pub(crate) fn decode_token(of: &str, token: &str) -> Result<String, BadToken> {
    let bytes = CODEC.decode(token).map_err(|_| BadToken)?;
    let text = String::from_utf8(bytes).map_err(|_| BadToken)?;
    text.strip_prefix(&format!("1|{of}|"))
        .map(str::to_owned)
        .ok_or(BadToken)
}

/// Takes the page after `token` from items that come sorted by their key.
pub(crate) fn page<'k, T>(
    of: &str,
    items: impl Iterator<Item = (&'k str, T)>,
    token: Option<&str>,
    limit: usize,
) -> Result<Page<T>, BadToken> {
    let after = token.map(|token| decode_token(of, token)).transpose()?;
    let mut rest = items
        .skip_while(|(key, _)| after.as_deref().is_some_and(|after| *key <= after))
        .peekable();
    let mut page = Page {
        items: Vec::new(),
        next: None,
    };
    let mut last = "";
    while page.items.len() < limit
        && let Some((key, item)) = rest.next()
    {
        page.items.push(item);
        last = key;
    }
    page.next = rest.peek().map(|_| encode_token(of, last));
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        let all = ["a", "b", "c", "d", "e"];
        for limit in 1..7 {
            let (mut seen, mut token) = (Vec::new(), None);
            loop {
                let got = page("x", all.iter().map(|k| (*k, *k)), token.as_deref(), limit).unwrap();
                seen.extend(got.items);
                token = got.next;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!(seen, all, "limit {limit}");
        }
    }

    #[test]
    fn what_comes_between_two_pages_moves_nothing() {
        let first = page("x", ["b", "d"].iter().map(|k| (*k, *k)), None, 1).unwrap();
        assert_eq!(first.items, ["b"]);
        let rest = ["a", "b", "c", "d"].iter().map(|k| (*k, *k));
        let rest = page("x", rest, first.next.as_deref(), 9).unwrap();
        assert_eq!(rest.items, ["c", "d"]);
    }

    #[test]
    fn foreign_tokens_are_refused() {
        let token = encode_token("ListRules", "a");
        assert_eq!(decode_token("ListRules", &token), Ok("a".to_owned()));
        for bad in [
            encode_token("Other", "a"),
            "%%%".to_owned(),
            String::new(),
            "AAAA".to_owned(),
        ] {
            assert_eq!(decode_token("ListRules", &bad), Err(BadToken), "{bad}");
        }
    }
}
