//! `os-release`, word for word.

use proto::{FactValue, Probe, Row};

use super::Look;
use crate::observe::machine;
use crate::parse::os_release;

pub(super) async fn os_release(look: &Look<'_>) -> Probe<FactValue> {
    match machine::os_release(look.product) {
        Ok(text) => {
            let row = row(&text);
            let reason = || Probe::Unknown("os-release has no `ID`".to_owned());
            if row.contains_key("ID") { Probe::Known(FactValue::Rows(vec![row])) } else { reason() }
        }
        Err(reason) => Probe::Unknown(reason),
    }
}

fn row(text: &str) -> Row {
    let keys = ["ID", "VERSION_ID", "ID_LIKE", "PRETTY_NAME"];
    keys.into_iter().filter_map(|key| Some((key.to_owned(), os_release::value(text, key)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Product;

    #[tokio::test]
    async fn its_words_are_told_as_they_are_and_without_an_id_none() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc")).unwrap();
        let product = Product::new(root.path().to_owned());
        let look = Look { product: &product, node: None, view: None, rest: None };
        let write = |text: &str| std::fs::write(root.path().join("etc/os-release"), text).unwrap();
        write("NAME=x\nID=\"rocky\"\nVERSION_ID='9.4'\nID_LIKE=\"rhel centos fedora\"\n");
        let cells = [("ID", "rocky"), ("VERSION_ID", "9.4"), ("ID_LIKE", "rhel centos fedora")];
        let row: Row = cells.map(|(key, cell)| (key.to_owned(), cell.to_owned())).into();
        assert_eq!(os_release(&look).await, Probe::Known(FactValue::Rows(vec![row])));
        write("VERSION_ID=9\n");
        assert!(os_release(&look).await.known().is_none());
    }
}
