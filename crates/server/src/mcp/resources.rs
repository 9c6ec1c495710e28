//! Saved files as resources: what a client may list, and what the links in answers lead to.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::ErrorData;
use rmcp::model::{CacheScope, ListResourcesResult, ReadResourceResult, ResourceContents, ResourceTemplate};
use serde_json::json;
use session::workspace;

use super::conversations::Caller;
use super::reply::size;
use super::sort::{self, Sort};
use super::uri::{self, TEMPLATE};
use crate::state::Service;

/// How many are listed at once.
const PAGE: usize = 500;
/// The largest that is read, bytes.
const LARGEST: u64 = 32 << 20;

/// How files are named.
pub(super) fn template() -> ResourceTemplate {
    ResourceTemplate::new(TEMPLATE, "saved file").with_description(
        "A file of a workspace: what was uploaded is in uploads/, what was saved in code-interpreter/.",
    )
}

/// The files of the caller's workspace; a page begins after the path that its cursor names.
pub(super) async fn list(
    service: &Arc<Service>,
    caller: &Caller,
    cursor: Option<&str>,
) -> Result<ListResourcesResult, ErrorData> {
    let workspace = service
        .workspace_of(caller, None)
        .map_err(|refusal| ErrorData::invalid_params(refusal.what, None))?;
    let files = workspace.list("").await.map_err(|error| failed(&error))?;
    let mut rest = files.iter().filter(|file| cursor.is_none_or(|cursor| file.path.as_str() > cursor));
    let page: Vec<_> = rest.by_ref().take(PAGE).collect();
    let resources = page.iter().map(|file| uri::resource(workspace.name(), file)).collect();
    let mut result = ListResourcesResult::with_all_items(resources);
    result.next_cursor = rest.next().and_then(|_| page.last().map(|file| file.path.as_str().to_owned()));
    Ok(result.with_ttl_ms(0).with_cache_scope(CacheScope::Private))
}

/// The content of a file.
pub(super) async fn read(
    service: &Arc<Service>,
    caller: &Caller,
    uri: &str,
) -> Result<ReadResourceResult, ErrorData> {
    let asked = || Some(json!({ "uri": uri }));
    let (name, path) = uri::parse(uri).map_err(|why| ErrorData::invalid_params(why, asked()))?;
    let workspace = service.store.workspace(caller.principal.as_str(), &name);
    let reading = match workspace.read(&path).await {
        Ok(reading) => reading,
        Err(workspace::Error::NotFound(path)) => {
            let message = format!("there is no file `{path}` in the workspace");
            return Err(ErrorData::resource_not_found(message, asked()));
        }
        Err(error) => return Err(failed(&error)),
    };
    let bytes = reading.stored.size;
    if bytes > LARGEST {
        let message = format!("`{path}` has {}, and one answer holds {}", size(bytes), size(LARGEST));
        return Err(ErrorData::invalid_params(message, None));
    }
    let content = reading.bytes().await.map_err(|error| failed(&error))?;
    let sort = sort::of(path.name(), &content);
    let contents = match (&sort, std::str::from_utf8(&content)) {
        (Sort::Text(_), Ok(text)) => ResourceContents::text(text, uri),
        _ => ResourceContents::blob(STANDARD.encode(&content), uri),
    };
    let result = ReadResourceResult::new(vec![contents.with_mime_type(sort.mime())]);
    Ok(result.with_ttl_ms(0).with_cache_scope(CacheScope::Private))
}

fn failed(error: &workspace::Error) -> ErrorData {
    tracing::error!("failed to {}", crate::fault::chain(error));
    ErrorData::internal_error("the workspace could not be reached", None)
}
