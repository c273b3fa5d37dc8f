import Models
import SPD
import Testing

/// What belongs to a space-to-depth.
struct SpaceToDepthSiteTests {
  private func shipped(_ name: String) throws -> Graph {
    try #require(shippedModels.first { $0.name == name }).graph()
  }

  private func convolutions(_ site: SpaceToDepthSite, _ graph: Graph) -> [String] {
    site.nodes.map { graph[$0] }.compactMap { if case .convolution = $0.op { $0.layer } else { nil } }
  }

  @Test func sitesOfYOLOv5SPD() throws {
    let graph = try shipped("yolov5-spd-n")
    let sites = graph.spaceToDepthSites
    #expect(
      sites.map { graph[$0.id].layer } == [
        "model.0.0", "model.2", "model.5", "model.8", "model.11", "model.23", "model.27",
      ])
    // The image is no layer in front; two convolutions read the first space-to-depth behind one …
    #expect(convolutions(sites[0], graph) == ["model.0.conv.conv"])
    #expect(convolutions(sites[1], graph) == ["model.1.conv", "model.3.cv1.conv", "model.3.cv2.conv"])
    #expect(
      sites[1].nodes.map { graph[$0].op.name } == [
        "conv2d", "batch_norm", "silu", "space_to_depth", "conv2d", "batch_norm", "silu", "conv2d", "batch_norm",
        "silu",
      ])
    // … and in the neck a concat stands between.
    #expect(convolutions(sites[5], graph) == ["model.22.conv", "model.25.cv1.conv", "model.25.cv2.conv"])
    #expect(sites[5].nodes.contains { graph[$0].op == .concat && graph[$0].layer == "model.24" })
  }

  @Test func sitesOfResNetSPD() throws {
    let graph = try shipped("resnet18-spd")
    let sites = graph.spaceToDepthSites
    #expect(sites.count == 4)
    // Normalised and activated behind the space-to-depth; the sum belongs to its first summand, not to the shortcut.
    #expect(
      sites[1].nodes.map { graph[$0].op.name } == [
        "conv2d", "space_to_depth", "batch_norm", "relu", "conv2d", "batch_norm", "add", "relu",
      ])
    #expect(
      convolutions(sites[1], graph) == ["conv3_x.0.residual_function.0", "conv3_x.0.residual_function.4"])
  }

  @Test(arguments: ["yolov5n", "resnet18"]) func stridedNetworksHaveNone(_ name: String) throws {
    #expect(try shipped(name).spaceToDepthSites.isEmpty)
  }
}
