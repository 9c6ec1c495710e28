//! Pages of lists.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::fault::Fault;

/// How many items a page has where a client does not say.
const USUAL: i64 = 10;

/// One page of a list that is in its order; `key` tells items apart, and stays the same while a client turns pages. A
/// page begins after the item that the last one ended with, or, if that is gone, where `after` says.
pub(super) fn page<T>(
    items: Vec<T>,
    most: Option<i64>,
    token: Option<&str>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let most = usize::try_from(most.unwrap_or(USUAL)).unwrap_or(1).max(1);
    let last = token.map(read).transpose()?;
    let begin = match &last {
        None => 0,
        // Newest first: keys fall.
        Some(last) => items.iter().position(|item| key(item) < *last).unwrap_or(items.len()),
    };
    let mut rest = items.into_iter().skip(begin);
    let page: Vec<T> = rest.by_ref().take(most).collect();
    let next = match (rest.next(), page.last()) {
        (Some(_), Some(last)) => Some(URL_SAFE_NO_PAD.encode(key(last))),
        _ => None,
    };
    Ok((page, next))
}

fn read(token: &str) -> Result<String, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Fault::field("nextToken", "this token was not given by an earlier page"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_everything_once_also_when_items_go() {
        let all: Vec<u32> = (100..125).rev().collect();
        let key = |item: &u32| item.to_string();
        let (first, token) = page(all.clone(), None, None, key).unwrap();
        assert_eq!(first, all[..10]);
        // The one that the page ended with is gone by now.
        let fewer: Vec<u32> = all.iter().copied().filter(|&item| item != 115).collect();
        let (second, token) = page(fewer, Some(10), token.as_deref(), key).unwrap();
        assert_eq!(second, all[10..20]);
        let (third, token) = page(all.clone(), Some(100), token.as_deref(), key).unwrap();
        assert_eq!((third, token), (all[20..].to_vec(), None));
        assert!(page(all, None, Some("not ours!"), key).is_err());
    }
}
