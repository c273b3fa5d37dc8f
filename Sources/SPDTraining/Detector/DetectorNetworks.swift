import Foundation
import SPD
import SPDDriver
import SPDRuntime
import SPDVision

/// A detector's networks, one for each input size, compiled when they are first used. Any number of ``Detector``s share
/// them.
package final class DetectorNetworks: @unchecked Sendable {
  /// A network for one input size, with its weights packed.
  package struct Sized: Sendable {
    package var network: Network
    package var packed: PackedWeights
  }

  package let name: String
  package let classNames: [String]
  /// The input as the model declares it, N×C×H×W.
  package let input: Shape
  package let boxes: Op.DecodeBoxes
  private let compile: @Sendable (Size2D) async throws -> Sized
  private let lock = NSLock()
  private var compiled: [Size2D: Sized] = [:]

  /// - Parameters:
  ///   - model: makes the graph for other input sizes.
  ///   - threads: number of threads that kernels are tuned for, with `options.tune`.
  /// - Throws: `Failure` for a network that is no detector of RGB images.
  package init(_ weighted: Weighted, model: LoadedModel, options: CompileOptions, threads: Int) throws {
    let graph = weighted.graph
    guard let boxes = graph.boxes else {
      throw Failure(.usage, "\(graph.name) is not a detector: its last layer does not decode boxes (try classify)")
    }
    guard graph.input.shape.channels == 3 else {
      throw Failure(.usage, "\(graph.name) does not take RGB images: its input is \(graph.input.shape)")
    }
    name = graph.name
    input = graph.input.shape
    self.boxes = boxes
    classNames = Self.names(weighted.classNames, count: boxes.classes)
    let builder = try Builder(target: options.target)
    compile = { size in
      var weighted = weighted
      if size != graph.input.shape.size {
        weighted.graph = try await model.graph(
          size: size, batch: graph.input.shape.batch, classes: graph.classes)
      }
      let pipeline = try await options.tuned(weighted.graph, builder, threads: threads)
      let ready = try await builder.ready(weighted, options: pipeline)
      return Sized(network: ready.network, packed: ready.packed)
    }
  }

  /// The sizes that a pass, or the passes of test-time augmentation, need for one size.
  package func sizes(for size: Size2D, isAugmented: Bool) -> [Size2D] {
    guard isAugmented else { return [size] }
    return TestTimeAugmentation.passes.map { TestTimeAugmentation.Shape($0, of: size, stride: stride).padded }
  }

  /// The largest stride in pixels: sides of inputs are multiples of it.
  package var stride: Int { boxes.strides.max() ?? 32 }

  /// Compiles a network ahead of its use.
  package func prepare(_ size: Size2D) async throws {
    guard lock.withLock({ compiled[size] }) == nil else { return }
    let sized = try await compile(size)
    lock.withLock { compiled[size] = sized }
  }

  /// The largest arena that one thread needs for a network compiled so far, in bytes.
  package var arenaBytes: Int {
    lock.withLock { compiled.values.map { $0.network.arenaBytes(threads: 1) }.max() ?? 0 }
  }

  /// The network of a size. One that has not been compiled blocks the calling thread, and all others that come for a
  /// network, until it is: not to be called by a thread that runs tasks, except for prepared sizes.
  package func network(_ size: Size2D) throws -> Sized {
    try lock.withLock {
      if let sized = compiled[size] { return sized }
      let done = DispatchSemaphore(value: 0)
      let outcome = Outcome()
      Task.detached { [compile] in
        do { outcome.result = .success(try await compile(size)) } catch { outcome.result = .failure(error) }
        done.signal()
      }
      done.wait()
      let sized = try outcome.result!.get()
      compiled[size] = sized
      return sized
    }
  }

  /// Passes a result from a task to the thread that waits for it; the semaphore orders the accesses.
  private final class Outcome: @unchecked Sendable {
    var result: Result<Sized, any Error>?
  }

  /// The class names of the weights, else COCO's if the number of classes matches, else `class N`.
  private static func names(_ own: [String]?, count: Int) -> [String] {
    if let own, own.count == count { return own }
    return count == cocoNames.count ? cocoNames : (0..<count).map { "class \($0)" }
  }
}
