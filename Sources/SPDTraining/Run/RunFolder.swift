import Foundation
import SPDDriver
import SPDFormats

/// The folder of one training run and the places of its files.
public struct RunFolder: Equatable, Sendable {
  public let path: String

  /// A folder that is there already, of a run to go on with.
  ///
  /// - Throws: `FormatError` where it is none.
  public init(existing path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      throw FormatError(path: path, problem: "there is no such run", remedy: "Give the folder of an earlier run")
    }
    self.path = path
  }

  /// Makes a folder of its own: `runs/exp`, or `runs/exp2`, `runs/exp3`, … where earlier ones are taken. Two processes
  /// that start at once get different ones.
  ///
  /// - Throws: `FormatError` where the system refuses.
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
        throw FormatError(path: path, problem: "cannot be made: \(String(cString: strerror(errno)))")
      }
      number += 1
    }
  }

  /// The folder at a path that nobody else uses, made where it is not there yet.
  ///
  /// - Throws: `FormatError` where the system refuses.
  public static func make(at path: String) throws -> RunFolder {
    try makeFolders(path + "/checkpoints")
    return try RunFolder(existing: path)
  }

  /// The folder at a path, which must hold no run yet, or one that ended before its first checkpoint.
  ///
  /// - Throws: `Failure` where it does, or where the system refuses.
  public static func unused(at path: String) throws -> RunFolder {
    let folder: RunFolder
    do { folder = try make(at: path) } catch { throw Failure(.cannotWrite, "\(error)") }
    if FileManager.default.fileExists(atPath: folder.checkpoint(.last)) {
      throw Failure(.usage, "\(path) has a run already; go on with --resume \(path), or give another folder")
    }
    if begun(at: path) != nil { return folder }
    for file in [folder.configuration, folder.results] where FileManager.default.fileExists(atPath: file) {
      throw Failure(.usage, "\(file) is there already, and the run would write over it; give another folder")
    }
    return folder
  }

  private static func makeFolders(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw FormatError(path: path, problem: "cannot be made: \(error.localizedDescription)") }
  }

  /// The effective configuration.
  public var configuration: String { path + "/config.yaml" }
  public var results: String { path + "/results.csv" }
  public var report: String { path + "/report.html" }
  /// The broken images, a line each.
  public var broken: String { path + "/broken.txt" }
  public var checkpoints: String { path + "/checkpoints" }

  public enum Kind: Equatable, Sendable {
    /// After the latest epoch, or where the run was stopped.
    case last
    /// After the epoch with the best validation.
    case best
    /// One that is kept: after this epoch, counted from 1.
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
