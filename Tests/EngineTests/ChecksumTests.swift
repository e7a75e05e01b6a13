import Hashing
import Testing

@Suite struct XXH64Tests {
    /// Of the bytes (7·i + 3) mod 256, by the reference implementation (python-xxhash 3), seeds 0 and 2⁶³ + 5.
    static let known: [(count: Int, plain: UInt64, seeded: UInt64)] = [
        (0, 0xef46_db37_51d8_e999, 0x62ea_3b7b_0965_60f4), (1, 0x1f25_c8d0_bc1f_4bb6, 0xbc5c_8459_48e9_0859),
        (3, 0x31d2_363f_52e5_64c9, 0x6f17_c371_f724_ee27), (4, 0x9bb6_4b7d_66ee_9fda, 0x28aa_850e_8041_f7e8),
        (7, 0x9a7b_1499_59ce_60d8, 0x6c4e_4983_eac9_ccc9), (8, 0xdab9_9d95_c6f9_0092, 0xab49_6209_7b5f_caf2),
        (31, 0xa2aa_5f33_cc4a_6119, 0x48f1_3afe_7ce2_d647), (32, 0x23c3_c17e_f790_fd97, 0x952a_9a28_7ac1_5dc4),
        (33, 0x50a7_cfc7_ba58_8784, 0x5949_4092_bcc9_2ba3), (63, 0x5e3e_54b4_31c7_493c, 0xaa0e_24d8_8f43_c79b),
        (100, 0xa61f_8d4c_170f_e531, 0xcba0_6f64_5530_c7bc), (1000, 0x5f23_5fa0_33f1_a3fb, 0xb8d8_7a3e_1c1f_afa0),
    ]

    @Test(arguments: known) func knownChecksums(count: Int, plain: UInt64, seeded: UInt64) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
        #expect(XXH64.checksum(bytes) == plain)
        #expect(XXH64.checksum(bytes, seed: (1 << 63) + 5) == seeded)
    }
}
