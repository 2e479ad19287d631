using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace HmmFast.Tests.Architecture;

/// <summary>Which types of an assembly use which others of it, read from the compiled file: bases, fields, signatures, attributes of calls, and every instruction.</summary>
/// <remarks>Compiled code is asked because it cannot lie: a using directive proves nothing, and a fully qualified name needs none.</remarks>
internal sealed class TypeUses
{
    private static readonly OperandType?[] OneByte = new OperandType?[256];
    private static readonly OperandType?[] TwoByte = new OperandType?[256];

    private readonly MetadataReader _reader;
    private readonly PEReader _file;
    private readonly Collector _collector = new();

    static TypeUses()
    {
        foreach (FieldInfo field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var code = (OpCode)field.GetValue(null)!;
            (code.Size == 1 ? OneByte : TwoByte)[(byte)code.Value] = code.OperandType;
        }
    }

    private TypeUses(PEReader file)
    {
        _file = file;
        _reader = file.GetMetadataReader();
    }

    /// <summary>Every (user, used) pair of full type names, types inside types counted as their outermost one.</summary>
    public static IReadOnlySet<(string User, string Used)> Of(string assemblyPath)
    {
        using var file = new PEReader(File.OpenRead(assemblyPath));
        var uses = new TypeUses(file);
        var pairs = new HashSet<(string, string)>();
        foreach (TypeDefinitionHandle handle in uses._reader.TypeDefinitions)
        {
            string user = uses.OutermostName(handle);
            uses._collector.Found.Clear();
            uses.Collect(uses._reader.GetTypeDefinition(handle));
            foreach (TypeDefinitionHandle used in uses._collector.Found)
            {
                pairs.Add((user, uses.OutermostName(used)));
            }
        }

        return pairs;
    }

    /// <summary>Simple names of the assemblies that an assembly refers to.</summary>
    public static IReadOnlyList<string> ReferencedAssemblies(string assemblyPath)
    {
        using var file = new PEReader(File.OpenRead(assemblyPath));
        MetadataReader reader = file.GetMetadataReader();
        return [.. reader.AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name))];
    }

    private string OutermostName(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _reader.GetTypeDefinition(handle);
        while (type.IsNested)
        {
            type = _reader.GetTypeDefinition(type.GetDeclaringType());
        }

        return $"{_reader.GetString(type.Namespace)}.{_reader.GetString(type.Name)}";
    }

    private void Collect(TypeDefinition type)
    {
        CollectToken(type.BaseType);
        foreach (InterfaceImplementationHandle handle in type.GetInterfaceImplementations())
        {
            CollectToken(_reader.GetInterfaceImplementation(handle).Interface);
        }

        foreach (FieldDefinitionHandle handle in type.GetFields())
        {
            _reader.GetFieldDefinition(handle).DecodeSignature(_collector, null);
        }

        foreach (GenericParameterHandle handle in type.GetGenericParameters())
        {
            CollectConstraints(handle);
        }

        foreach (MethodDefinitionHandle handle in type.GetMethods())
        {
            MethodDefinition method = _reader.GetMethodDefinition(handle);
            method.DecodeSignature(_collector, null);
            foreach (GenericParameterHandle parameter in method.GetGenericParameters())
            {
                CollectConstraints(parameter);
            }

            if (method.RelativeVirtualAddress != 0)
            {
                Collect(_file.GetMethodBody(method.RelativeVirtualAddress));
            }
        }
    }

    private void CollectConstraints(GenericParameterHandle handle)
    {
        foreach (GenericParameterConstraintHandle constraint in _reader.GetGenericParameter(handle).GetConstraints())
        {
            CollectToken(_reader.GetGenericParameterConstraint(constraint).Type);
        }
    }

    private void Collect(MethodBodyBlock body)
    {
        if (!body.LocalSignature.IsNil)
        {
            _reader.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(_collector, null);
        }

        BlobReader code = body.GetILReader();
        while (code.RemainingBytes > 0)
        {
            byte first = code.ReadByte();
            OperandType operand = (first == 0xFE ? TwoByte[code.ReadByte()] : OneByte[first])
                ?? throw new BadImageFormatException($"Instruction 0x{first:x2} is unknown.");
            switch (operand)
            {
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    code.Offset += 1;
                    break;
                case OperandType.InlineVar:
                    code.Offset += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    code.Offset += 8;
                    break;
                case OperandType.InlineSwitch:
                    int targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    CollectToken(MetadataTokens.EntityHandle(code.ReadInt32()));
                    break;
                default:
                    code.Offset += 4;
                    break;
            }
        }
    }

    private void CollectToken(EntityHandle handle)
    {
        if (handle.IsNil)
        {
            return;
        }

        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                _collector.Found.Add((TypeDefinitionHandle)handle);
                break;
            case HandleKind.TypeSpecification:
                _reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(_collector, null);
                break;
            case HandleKind.FieldDefinition:
                _collector.Found.Add(_reader.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MethodDefinition:
                _collector.Found.Add(_reader.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MemberReference:
                CollectToken(_reader.GetMemberReference((MemberReferenceHandle)handle).Parent);
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification method = _reader.GetMethodSpecification((MethodSpecificationHandle)handle);
                CollectToken(method.Method);
                method.DecodeSignature(_collector, null);
                break;
            default:
                break;
        }
    }

    // Decodes signatures for their side effect: noting every type of this assembly that they name.
    private sealed class Collector : ISignatureTypeProvider<int, object?>
    {
        public HashSet<TypeDefinitionHandle> Found { get; } = [];

        public int GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            Found.Add(handle);
            return 0;
        }

        public int GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public int GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => 0;

        public int GetArrayType(int elementType, ArrayShape shape) => 0;

        public int GetByReferenceType(int elementType) => 0;

        public int GetFunctionPointerType(MethodSignature<int> signature) => 0;

        public int GetGenericInstantiation(int genericType, ImmutableArray<int> typeArguments) => 0;

        public int GetGenericMethodParameter(object? genericContext, int index) => 0;

        public int GetGenericTypeParameter(object? genericContext, int index) => 0;

        public int GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;

        public int GetPinnedType(int elementType) => 0;

        public int GetPointerType(int elementType) => 0;

        public int GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;

        public int GetSZArrayType(int elementType) => 0;
    }
}
