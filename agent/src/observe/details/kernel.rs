//! The kernel's own mode.

use std::fs;
use std::io;

use proto::{FactValue, Probe};

use super::Look;

/// A kernel without FIPS support has no such file, and so no such mode.
pub(super) async fn fips(look: &Look<'_>) -> Probe<FactValue> {
    let file = look.product.of_machine("/proc/sys/crypto/fips_enabled");
    match fs::read_to_string(&file) {
        Ok(text) => match text.trim() {
            "0" => Probe::Known(FactValue::Flag(false)),
            "1" => Probe::Known(FactValue::Flag(true)),
            other => Probe::Unknown(format!("{} says `{other}`", file.display())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Probe::Known(FactValue::Flag(false)),
        Err(error) => Probe::Unknown(format!("{} cannot be read: {error}", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Product;

    #[tokio::test]
    async fn only_the_kernels_two_words_are_answers() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("proc/sys/crypto/fips_enabled");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let product = Product::new(root.path().to_owned());
        let look = Look { product: &product, node: None, view: None, rest: None };
        for (text, expected) in
            [("0\n", Some(false)), ("1\n", Some(true)), ("", None), ("2", None), ("yes", None)]
        {
            fs::write(&file, text).unwrap();
            let flag = expected.map(FactValue::Flag);
            assert_eq!(fips(&look).await.known(), flag.as_ref(), "{text}");
        }
    }
}
