//! The Python package under pytest, around the library that Cargo has just built.

use std::path::Path;
use std::process::Command;

#[test]
fn the_package_does_what_its_tests_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../target/clients/python/bin/python");
    if !python.exists() {
        println!("skipped: {} is not installed; run tests/clients/setup.sh", python.display());
        return;
    }
    let here = std::env::current_exe().expect("the test has a path");
    let library = here.with_file_name("lib_native.so");
    if !library.exists() {
        println!("skipped: no {}: a Python module is built another way on this system", library.display());
        return;
    }
    // The package as a wheel would lay it out.
    let folder = tempfile::tempdir().expect("a scratch folder");
    let package = folder.path().join("gtm");
    std::fs::create_dir(&package).expect("a folder");
    for entry in std::fs::read_dir(root.join("gtm")).expect("the package's files") {
        let path = entry.expect("a file").path();
        if path.is_file() {
            std::fs::copy(&path, package.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
    std::fs::copy(library, package.join("_native.abi3.so")).expect("a copy");
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "gtm.pytest_plugin"])
        .arg(root.join("tests"))
        // Where Python is started comes first on its path, and the sources have no library.
        .current_dir(folder.path())
        .env("PYTHONPATH", folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("Python runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
}
