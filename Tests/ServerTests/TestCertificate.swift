import Foundation

/// A certificate for localhost and 127.0.0.1, made for these tests only; it signs itself.
enum TestCertificate {
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSzxCi2J1UgRRFvdd
        GIq1xT531p6tmEhQZY1vXqUtKf+hRANCAARiKuBi37rl+nWU3rSBGjcJqa995G19
        MkyjiknyHUoK1v0iZ5mMBGF22ux8U+NHmRlLVjQ9yHGzGn4hF7jOc4So
        -----END PRIVATE KEY-----
        """
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBWzCCAQGgAwIBAgIUG5/FvL8QRjOjgnnIcWsGdtNliz4wCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTAwMDEwMTAwMDAwMFoYDzIxMjAwMTAx
        MDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAARiKuBi37rl+nWU3rSBGjcJqa995G19MkyjiknyHUoK1v0iZ5mMBGF2
        2ux8U+NHmRlLVjQ9yHGzGn4hF7jOc4Sooy8wLTAaBgNVHREEEzARgglsb2NhbGhv
        c3SHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBqJtAx
        xr22g9N7byMUCZmDUiAWq1+xi0NdHX5olsuntQIhANi1SCZTH+KTXOQ9eaVjKT+w
        IB+lT+eLEaWwp29achKs
        -----END CERTIFICATE-----
        """

    /// Writes both into a folder.
    ///
    /// - Returns: the paths of certificate and key.
    static func write(in folder: String) throws -> (certificate: String, key: String) {
        let (first, second) = ("\(folder)/certificate.pem", "\(folder)/key.pem")
        try certificate.write(toFile: first, atomically: true, encoding: .utf8)
        try key.write(toFile: second, atomically: true, encoding: .utf8)
        return (first, second)
    }
}
