//! Who makes a call, for those who answer it.

use tonic::Request;

use crate::Caller;

/// Who makes a call: as it was found out when the connection was made.
pub fn caller<T>(request: &Request<T>) -> Caller {
    request.extensions().get().cloned().unwrap_or(Caller::Anonymous)
}
