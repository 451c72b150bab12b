//! Cards (section 14.5). The bank behind this interface issues none, so lists are empty and nothing is found.

use crate::call::Call;
use crate::error::Error;
use crate::pagination::Page;
use crate::reply::Reply;

/// `GET /user/{user}/card`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    call.user()?;
    call.page()?;
    Ok(Reply::page(Vec::new(), Page::none()))
}

/// `GET /user/{user}/card/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    call.user()?;
    Err(Error::not_found())
}
