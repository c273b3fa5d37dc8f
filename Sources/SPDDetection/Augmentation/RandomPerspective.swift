import Foundation
import SPD
import SPDVision

/// The random choices of a geometric transform: rotation, scale, shear, translation and perspective.
struct PerspectivePlan: Sendable, Equatable {
  /// Perspective coefficients per pixel.
  var perspectiveX = 0.0
  var perspectiveY = 0.0
  /// Anticlockwise rotation in degrees.
  var angle = 0.0
  var scale = 1.0
  /// Shear in degrees.
  var shearX = 0.0
  var shearY = 0.0
  /// The position of the input's centre in the output, as fractions of its sides.
  var translateX = 0.5
  var translateY = 0.5

  init() {}

  /// Draws each value uniformly: perspectives from ±`perspective`, the angle from ±`degrees`, the scale from
  /// 1 ± `scale`, shears from ±`shear`, translations from 0.5 ± `translate`.
  init(_ parameters: DetectionHyperparameters, random: inout SplitMix64) {
    func within(_ limit: Double, around centre: Double = 0) -> Double {
      random.uniform(centre - limit, centre + limit)
    }
    perspectiveX = within(parameters.perspective)
    perspectiveY = within(parameters.perspective)
    angle = within(parameters.degrees)
    scale = within(parameters.scale, around: 1)
    shearX = within(parameters.shear)
    shearY = within(parameters.shear)
    translateX = within(parameters.translate, around: 0.5)
    translateY = within(parameters.translate, around: 0.5)
  }

  /// The matrix M = T·S·R·P·C from input to output points:
  /// C moves the input's centre to the origin; P has the perspectives in its last row;
  /// R = [k·cos a, k·sin a; −k·sin a, k·cos a]; S = [1, tan x; tan y, 1]; T moves the origin to the drawn position.
  func matrix(inputWidth: Int, inputHeight: Int, width: Int, height: Int) -> Matrix3 {
    let centre = Matrix3([1, 0, -Double(inputWidth) / 2, 0, 1, -Double(inputHeight) / 2, 0, 0, 1])
    let perspective = Matrix3([1, 0, 0, 0, 1, 0, perspectiveX, perspectiveY, 1])
    let radians = angle * .pi / 180
    let (cosine, sine) = (scale * cos(radians), scale * sin(radians))
    let rotation = Matrix3([cosine, sine, 0, -sine, cosine, 0, 0, 0, 1])
    let shear = Matrix3([1, tan(shearX * .pi / 180), 0, tan(shearY * .pi / 180), 1, 0, 0, 0, 1])
    let translation = Matrix3([1, 0, translateX * Double(width), 0, 1, translateY * Double(height), 0, 0, 1])
    return translation * shear * rotation * perspective * centre
  }

  /// Warps pixels and objects to `width`×`height`. Objects that are hardly left go.
  func apply(to sample: AugmentedSample, width: Int, height: Int) -> AugmentedSample {
    let matrix = matrix(
      inputWidth: sample.image.width, inputHeight: sample.image.height, width: width, height: height)
    return AugmentedSample(
      image: warp(sample.image, by: matrix, width: width, height: height),
      objects: sample.objects.compactMap { transformed($0, by: matrix, scale: scale, width: width, height: height) })
  }
}
