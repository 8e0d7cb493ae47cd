use futures::{Stream, TryStreamExt, stream};

use crate::error::ErrorKind;

/// A page: what is on it, and the mark of the next one.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// What is on all pages of an answer. A page is asked for when the one before is used up.
pub(super) fn pages<T, F>(ask: impl Fn(Option<String>) -> F) -> impl Stream<Item = Result<T, ErrorKind>>
where
    F: Future<Output = Result<Page<T>, ErrorKind>>,
{
    let pages = stream::try_unfold(Some(None), move |mark: Option<Option<String>>| {
        let page = mark.map(|mark| (mark.clone(), ask(mark)));
        async move {
            let Some((mark, page)) = page else { return Ok(None) };
            let (items, next) = page.await?;
            if next.is_some() && next == mark {
                return Err(ErrorKind::Protocol("a page names itself as the next one".to_owned()));
            }
            Ok(Some((stream::iter(items.into_iter().map(Ok)), next.map(Some))))
        }
    });
    pages.try_flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pages_end() {
        let check = async |nexts: &[Option<&str>], expected: Result<Vec<usize>, &str>| {
            let asked = std::sync::atomic::AtomicUsize::new(0);
            let ask = |mark: Option<String>| {
                let number = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                assert_eq!(mark.as_deref(), number.checked_sub(1).and_then(|before| nexts[before]));
                std::future::ready(Ok((vec![number], nexts[number].map(str::to_owned))))
            };
            let got: Result<Vec<usize>, ErrorKind> = pages(ask).try_collect().await;
            assert_eq!(got.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
        };
        check(&[None], Ok(vec![0])).await;
        check(&[Some("a"), Some("b"), None], Ok(vec![0, 1, 2])).await;
        let endless = "the answer is not a registry's: a page names itself as the next one";
        check(&[Some("a"), Some("a")], Err(endless)).await;
    }
}
