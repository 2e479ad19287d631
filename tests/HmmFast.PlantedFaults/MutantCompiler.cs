using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;

namespace HmmFast.PlantedFaults;

/// <summary>Compiles one project's sources with one text replaced, beside the assemblies of a finished build.</summary>
/// <remarks>Syntax trees are parsed once a project, so a mutant costs one parse of one file and one emit.</remarks>
public sealed class MutantCompiler
{
    private readonly string _repositoryRoot;
    private readonly string _buildDirectory;
    private readonly Dictionary<string, ProjectSources> _projects = [];

    public MutantCompiler(string repositoryRoot, string buildDirectory)
    {
        _repositoryRoot = repositoryRoot;
        _buildDirectory = buildDirectory;
    }

    /// <summary>Writes the mutated assembly to a directory; an empty original text compiles the project as it is.</summary>
    /// <returns>Null, or what went wrong.</returns>
    public string? Compile(PlantedFault fault, string outputDirectory)
    {
        ProjectSources project = Load(fault.File);
        string path = Path.GetFullPath(Path.Combine(_repositoryRoot, fault.File));
        if (!project.Trees.TryGetValue(path, out SyntaxTree? original))
        {
            return $"{fault.File} is not a source file of {project.AssemblyName}";
        }

        string text = original.GetText().ToString();
        int found = text.IndexOf(fault.Original, StringComparison.Ordinal);
        if (found < 0)
        {
            return $"the text to replace is not in {fault.File}: {fault.Original}";
        }

        if (text.IndexOf(fault.Original, found + 1, StringComparison.Ordinal) >= 0)
        {
            return $"the text to replace stands more than once in {fault.File}: {fault.Original}";
        }

        string mutated = string.Concat(text.AsSpan(0, found), fault.Replacement, text.AsSpan(found + fault.Original.Length));
        SyntaxTree tree = CSharpSyntaxTree.ParseText(SourceText.From(mutated, System.Text.Encoding.UTF8), project.ParseOptions, path);
        CSharpCompilation compilation = project.Compilation.ReplaceSyntaxTree(original, tree);
        return Emit(compilation, Path.Combine(outputDirectory, project.AssemblyName + ".dll"));
    }

    private static string? Emit(CSharpCompilation compilation, string path)
    {
        using (var stream = new MemoryStream())
        {
            EmitResult result = compilation.Emit(stream);
            if (!result.Success)
            {
                Diagnostic error = result.Diagnostics.First(d => d.Severity == DiagnosticSeverity.Error);
                return $"the mutant does not compile: {error}";
            }

            // The file may be a link to the finished build's own assembly: remove it first, so that nothing is written through it.
            File.Delete(path);
            File.WriteAllBytes(path, stream.ToArray());
        }

        return null;
    }

    private ProjectSources Load(string file)
    {
        string[] parts = file.Split('/');
        string projectDirectory = Path.Combine(_repositoryRoot, parts[0], parts[1]);
        if (_projects.TryGetValue(projectDirectory, out ProjectSources? sources))
        {
            return sources;
        }

        string assemblyName = parts[1];
        CSharpParseOptions parseOptions = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var trees = new Dictionary<string, SyntaxTree>();
        foreach (string path in SourceFiles(projectDirectory))
        {
            trees.Add(path, CSharpSyntaxTree.ParseText(SourceText.From(File.ReadAllText(path), System.Text.Encoding.UTF8), parseOptions, path));
        }

        var compilation = CSharpCompilation.Create(
            assemblyName,
            trees.Values,
            References(assemblyName),
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                optimizationLevel: OptimizationLevel.Release,
                allowUnsafe: true,
                nullableContextOptions: NullableContextOptions.Enable,
                deterministic: true));
        sources = new ProjectSources(assemblyName, parseOptions, trees, compilation);
        _projects.Add(projectDirectory, sources);
        return sources;
    }

    private static IEnumerable<string> SourceFiles(string projectDirectory)
    {
        string separator = Path.DirectorySeparatorChar.ToString();
        foreach (string path in Directory.EnumerateFiles(projectDirectory, "*.cs", SearchOption.AllDirectories))
        {
            string relative = separator + Path.GetRelativePath(projectDirectory, path);
            if (!relative.StartsWith($"{separator}bin{separator}", StringComparison.Ordinal)
                && !relative.StartsWith($"{separator}obj{separator}", StringComparison.Ordinal))
            {
                yield return Path.GetFullPath(path);
            }
        }

        // What the build generates: the implicit usings, and the attributes that let tests see internals.
        string generated = Path.Combine(projectDirectory, "obj", "Release", "net10.0");
        string fromGenerators = Path.Combine(generated, "generated");
        if (Directory.Exists(fromGenerators))
        {
            foreach (string path in Directory.EnumerateFiles(fromGenerators, "*.cs", SearchOption.AllDirectories))
            {
                yield return Path.GetFullPath(path);
            }
        }

        foreach (string path in Directory.EnumerateFiles(generated, "*.cs"))
        {
            if (path.EndsWith(".GlobalUsings.g.cs", StringComparison.Ordinal) || path.EndsWith(".AssemblyInfo.cs", StringComparison.Ordinal))
            {
                yield return Path.GetFullPath(path);
            }
        }
    }

    private List<MetadataReference> References(string assemblyName)
    {
        var references = new List<MetadataReference>();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { assemblyName + ".dll" };
        foreach (string path in Directory.EnumerateFiles(_buildDirectory, "*.dll"))
        {
            if (seen.Add(Path.GetFileName(path)))
            {
                references.Add(MetadataReference.CreateFromFile(path));
            }
        }

        string platform = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        foreach (string path in ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator))
        {
            if (path.StartsWith(platform, StringComparison.Ordinal) && seen.Add(Path.GetFileName(path)))
            {
                references.Add(MetadataReference.CreateFromFile(path));
            }
        }

        return references;
    }

    private sealed record ProjectSources(
        string AssemblyName,
        CSharpParseOptions ParseOptions,
        Dictionary<string, SyntaxTree> Trees,
        CSharpCompilation Compilation);
}
