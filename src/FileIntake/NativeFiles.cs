using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sagas.FileIntake;

/// <summary>
/// What Linux can do with files and .NET cannot: tell what an entry is without following links, open without following and
/// without blocking, and rename entries whose names are not UTF-8.
/// </summary>
internal static partial class NativeFiles
{
    private const int AtCurrentFolder = -100;
    private const int AtSymlinkNoFollow = 0x100;
    private const uint StatxType = 1;
    private const int ModeOffset = 28;
    private const int TypeMask = 0xF000;

    // In a folder entry of 64-bit Linux.
    private const int TypeOffset = 18;
    private const int NameOffset = 19;
    private const byte TypeFolder = 4;

    // O_RDONLY, O_NONBLOCK, O_CLOEXEC and O_NOFOLLOW; the last has another number on ARM.
    private static readonly int _openFlags =
        0x800 | 0x80000 | (RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? 0x8000 : 0x20000);

    /// <summary>What a folder entry is: a word for messages, <see cref="RegularFile.Regular"/> for a file.</summary>
    /// <returns>Null when there is no such entry.</returns>
    public static string? KindOf(string path)
    {
        Span<byte> status = stackalloc byte[256];
        if (StatX(AtCurrentFolder, path, AtSymlinkNoFollow, StatxType, status) != 0)
            return Marshal.GetLastPInvokeError() is ErrorNumber.NoEntry or ErrorNumber.NotFolder ? null : throw Error(path);
        return (BitConverter.ToUInt16(status[ModeOffset..]) & TypeMask) switch
        {
            0x8000 => RegularFile.Regular,
            0xA000 => "symbolic link",
            0x4000 => "folder",
            0x1000 => "named pipe",
            0xC000 => "socket",
            _ => "device",
        };
    }

    /// <summary>Opens a file for reading; a link is not followed, and a pipe does not block.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    public static SafeFileHandle Open(string path)
    {
        var handle = Open(path, _openFlags, 0);
        return handle >= 0 ? new SafeFileHandle(handle, ownsHandle: true) : throw Error(path);
    }

    /// <summary>The names in a folder that are not UTF-8, as bytes; those of folders are left out.</summary>
    public static IReadOnlyList<byte[]> UndecodableNames(string folder)
    {
        var names = new List<byte[]>();
        var stream = OpenDirectory(folder);
        if (stream == 0)
            throw Error(folder);
        try
        {
            for (var entry = ReadDirectory(stream); entry != 0; entry = ReadDirectory(stream))
            {
                var length = 0;
                while (Marshal.ReadByte(entry, NameOffset + length) != 0)
                    length++;
                var name = new byte[length];
                Marshal.Copy(entry + NameOffset, name, 0, length);
                if (!System.Text.Unicode.Utf8.IsValid(name) && Marshal.ReadByte(entry, TypeOffset) != TypeFolder)
                    names.Add(name);
            }
        }
        finally
        {
            _ = CloseDirectory(stream);
        }
        return names;
    }

    /// <summary>Renames an entry of any kind; a link itself, not what it points to.</summary>
    /// <returns>False when it is not there any more.</returns>
    public static bool Rename(ReadOnlySpan<byte> from, string to)
    {
        if (Rename([.. from, 0], [.. System.Text.Encoding.UTF8.GetBytes(to), 0]) == 0)
            return true;
        return Marshal.GetLastPInvokeError() == ErrorNumber.NoEntry ? false : throw Error(to);
    }

    private static Exception Error(string path)
    {
        var number = Marshal.GetLastPInvokeError();
        var message = $"{Marshal.GetPInvokeErrorMessage(number)}: '{path}'";
        return number switch
        {
            ErrorNumber.NoEntry => new FileNotFoundException(message, path),
            ErrorNumber.NotPermitted or ErrorNumber.NoAccess => new UnauthorizedAccessException(message),
            _ => new IOException(message),
        };
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint OpenDirectory(string path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReadDirectory(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseDirectory(nint stream);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Rename(byte[] from, byte[] to);

    private static class ErrorNumber
    {
        public const int NotPermitted = 1;
        public const int NoEntry = 2;
        public const int NoAccess = 13;
        public const int NotFolder = 20;
    }
}
