import Foundation
import Testing

@testable import Images

@Suite struct OutputNameTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("numbers go on after the highest in use")
    func counter() throws {
        var name = try OutputName(prefix: "pic", outputFolder: folder.path)
        #expect(name.fileName() == "pic_00001_.png")
        #expect(name.fileName() == "pic_00002_.png")
        for used in [
            "pic_00007_.png", "pic_00012_a.png", "pic_x_.png", "pic_99.png", "picture_00100_.png", "pic_big_00200_.png",
            "pic__.png", "pic_99999999999999999999999_.png", "pic_-5_.png", "pic_00009_", "unrelated",
        ] { _ = try folder.write([], used) }
        #expect(try OutputName(prefix: "pic", outputFolder: folder.path).counter == 13)
        #expect(try OutputName(prefix: "pic_big", outputFolder: folder.path).counter == 201)
        #expect(try OutputName(prefix: "none", outputFolder: folder.path).counter == 1)
        _ = try folder.write([], "pic_123456_.png")
        var large = try OutputName(prefix: "pic", outputFolder: folder.path)
        #expect(large.fileName(suffix: "webp") == "pic_123457_.webp")
    }

    @Test("sub-folders, tokens and odd characters")
    func prefixes() throws {
        let time = LocalTime(year: 2026, month: 3, day: 9, hour: 7, minute: 5, second: 59)
        func name(_ prefix: String) throws -> OutputName {
            try OutputName(prefix: prefix, outputFolder: folder.path, width: 640, height: 480, time: time)
        }
        let dated = try name("%year%-%month%-%day%/%hour%%minute%%second%_%width%x%height%")
        #expect(dated.subfolder == "2026-03-09")
        #expect(dated.stem == "070559_640x480")
        #expect(dated.folder == folder.path + "/2026-03-09")
        #expect(FileManager.default.fileExists(atPath: dated.folder))
        var numbered = try name("a//./b/x/../n%batch_num%[1] $HOME 猫")
        #expect(numbered.subfolder == "a/b")
        #expect(numbered.fileName(batchNumber: 3) == "n3[1] $HOME 猫_00001_.png")
        #expect(numbered.path(of: "f.png") == folder.path + "/a/b/f.png")
        #expect(try name("x/").stem == "x")
        #expect(try name("").stem == ".")
        #expect(try name("50%").stem == "50%")
    }

    @Test("a prefix cannot leave the output folder")
    func traversal() throws {
        for prefix in [
            "../x", "/tmp/x", "a/../../x", "../../etc/passwd", "a/b/../../../x", "./../x", "a\0b", "../\u{301}x",
            "/\u{301}x", "a/../../\u{200D}x",
        ] {
            let error = imageError { _ = try OutputName(prefix: prefix, outputFolder: folder.path) }
            #expect(error?.code == .unwritableFile, "\(prefix)")
        }
        #expect(folder.names == [])
    }

    @Test("a file where a folder is needed")
    func notAFolder() throws {
        _ = try folder.write([], "file")
        let error = imageError { _ = try OutputName(prefix: "file/x", outputFolder: folder.path) }
        #expect(error?.code == .unwritableFile)
        #expect(error?.message.contains("folder") == true)
    }
}
