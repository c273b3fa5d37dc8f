import Foundation
import SPDDriver
import SPDFormats

/// The folder of a training run and the paths of its files.
public struct RunFolder: Equatable, Sendable {
  public let path: String

  /// Opens an existing folder.
  ///
  /// - Throws: `FormatError` if there is no such folder.
  public init(existing path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      throw FormatError(path: path, problem: "no such run", remedy: "Give the folder of an earlier run")
    }
    self.path = path
  }

  /// Creates a new folder: `runs/exp`, or `runs/exp2`, `runs/exp3`, … if earlier ones exist. Concurrent processes get
  /// different folders.
  ///
  /// - Throws: `FormatError` if it cannot be created.
  public static func create(named name: String = "exp", in parent: String = "runs") throws -> RunFolder {
    guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
      throw FormatError(
        path: parent + "/" + name, problem: "cannot be the folder of a run", remedy: "Give a plain name")
    }
    try makeFolders(parent)
    var number = 1
    while true {
      let path = parent + "/" + name + (number == 1 ? "" : String(number))
      if mkdir(path, 0o777) == 0 { return try make(at: path) }
      guard errno == EEXIST else {
        throw FormatError(path: path, problem: "cannot be created: \(String(cString: strerror(errno)))")
      }
      number += 1
    }
  }

  /// Opens the folder at a path, creating it if necessary.
  ///
  /// - Throws: `FormatError` if it cannot be created.
  public static func make(at path: String) throws -> RunFolder {
    try makeFolders(path + "/checkpoints")
    return try RunFolder(existing: path)
  }

  /// Opens the folder at a path for a new run, creating it if necessary.
  ///
  /// - Throws: `Failure` if it contains a run with a checkpoint, or cannot be created.
  public static func unused(at path: String) throws -> RunFolder {
    let folder: RunFolder
    do { folder = try make(at: path) } catch { throw Failure(.cannotWrite, "\(error)") }
    if FileManager.default.fileExists(atPath: folder.checkpoint(.last)) {
      throw Failure(.usage, "\(path) already contains a run; resume it with --resume \(path), or choose another folder")
    }
    if begun(at: path) != nil { return folder }
    for file in [folder.configuration, folder.results] where FileManager.default.fileExists(atPath: file) {
      throw Failure(.usage, "\(file) already exists and would be overwritten; choose another folder")
    }
    return folder
  }

  private static func makeFolders(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw FormatError(path: path, problem: "cannot be created: \(error.localizedDescription)") }
  }

  /// Path of the effective configuration.
  public var configuration: String { path + "/config.yaml" }
  public var results: String { path + "/results.csv" }
  public var report: String { path + "/report.html" }
  /// Path of the list of broken images.
  public var broken: String { path + "/broken.txt" }
  public var checkpoints: String { path + "/checkpoints" }

  public enum Kind: Equatable, Sendable {
    /// The latest checkpoint.
    case last
    /// The checkpoint with the best validation metric.
    case best
    /// A kept checkpoint after an epoch, counted from 1.
    case epoch(Int)
  }

  public func checkpoint(_ kind: Kind) -> String {
    switch kind {
    case .last: checkpoints + "/last.safetensors"
    case .best: checkpoints + "/best.safetensors"
    case .epoch(let number): checkpoints + "/epoch-\(number).safetensors"
    }
  }
}
